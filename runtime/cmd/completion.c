// SPDX-License-Identifier: Apache-2.0
// aegis completion: a script for bash or zsh made from the table of commands; options are asked of each
// command's --help. In: the shell's name. Out: the script. Next file to read: commands.def.
#include "cmd.h"

static const char bash_tail[] =
    "_aegis() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]}\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        COMPREPLY=($(compgen -W \"$_aegis_commands\" -- \"$word\"))\n"
    "    elif [[ $word == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$(\"${COMP_WORDS[0]}\" \"${COMP_WORDS[1]}\" --help 2>/dev/null |\n"
    "            grep -oE -- '--[a-z][a-z-]*' | sort -u)\" -- \"$word\"))\n"
    "    else\n"
    "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    fi\n"
    "}\n"
    "complete -o filenames -F _aegis aegis\n";

int
cmd_completion(int argc, char **argv)
{
    int code;
    struct agr_list args = {0};
    const struct agr_opt opts[] = {{NULL, 0, AGR_OPT_FLAG, NULL, NULL, NULL}};
    static const char *const names[] = {
#define CMD(name, function, arguments, summary) name,
#include "commands.def"
    };
    if (!agr_args(argc, argv, opts, &args, &code))
        return code;
    bool is_zsh = args.n == 1 && strcmp(args.v[0], "zsh") == 0;
    if (args.n != 1 || (!is_zsh && strcmp(args.v[0], "bash") != 0))
        return agr_die(AGR_EXIT_HELD, "completion: say bash or zsh");
    if (is_zsh)
        printf("autoload -U +X bashcompinit && bashcompinit\n");
    printf("_aegis_commands=\"");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s%s", i ? " " : "", names[i]);
    printf("\"\n%s", bash_tail);
    return AGR_EXIT_OK;
}
