/* The program. All of it is in the library, so that tests can run a command without a new one. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
