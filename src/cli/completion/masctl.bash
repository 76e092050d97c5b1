_masctl() {
    local line=${COMP_LINE:0:COMP_POINT} word glued= last=-1 i
    local -a words=()
    # Readline breaks words at `:`, `=` and `@` too; masctl reads them whole, up to the cursor.
    for ((i = 0; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        line=${line#*"$word"}
        if [[ -n $glued ]]; then words[last]+=$word; else words[++last]=$word; fi
        if [[ $line == [![:space:]]* ]]; then glued=1; else glued=; fi
    done
    word=${line#"${line%%[![:space:]]*}"}
    if [[ -n $glued ]]; then words[last]+=$word; else words[++last]=$word; fi
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(COMPLETE=bash MASCTL_COMPLETE_WORD="$2" @PROGRAM@ -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o bashdefault -o nosort -F _masctl masctl 2>/dev/null || complete -o bashdefault -F _masctl masctl
