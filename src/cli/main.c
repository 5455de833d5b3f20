/* Entry point: hands argv to the command table. */
#include <stdio.h>

int main(void)
{
    printf("stack " STACK_VERSION "\n");
    return 0;
}
