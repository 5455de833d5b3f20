#!/bin/sh
# The pages that the tables print are the ones that are committed, every command has its help and its
# man page, and what is installed can be uninstalled.
. "$TOP/tests/support/tap.sh"

for page in cli.md exit-codes.md stack-file.md; do
    "$STACK" manual "$page" >"$work/$page"
    ok "docs/reference/$page is what the table prints (make docs)" cmp "$work/$page" "docs/reference/$page"
done

bad=
for command in $("$STACK" manual commands); do
    "$STACK" "$command" --help >"$work/help" && grep -q '^Usage: stack' "$work/help" &&
        "$STACK" manual "$command" | grep -q '^.SH NAME' || bad="$bad $command"
done
is "every command has help and a man page" "$bad" ""

is "completion offers commands" "$("$STACK" __complete -- up | cut -f 1)" up
is "completion offers services of the file" \
    "$(cd examples/health && "$STACK" __complete -- logs '' | paste -sd ' ')" "api db web"
is "and with a colon where a path follows" \
    "$(cd examples/health && "$STACK" __complete -- cp d)" "db:"
is "or files" "$(cd examples/health && "$STACK" __complete -- cp ./)" ":file"
ok "the schema is JSON" sh -c '"$STACK" schema | jq -e .definitions'

done_testing
