# Stands in for masctl in the tests of the runner: its first word says what it does.
case $1 in
    database) echo "laid out in world $MASCTL_FIXED_WORLD" ;;
    world) echo "world $MASCTL_FIXED_WORLD" ;;
    both) echo "to stdout"; echo "to stderr" >&2; echo >&2; echo "  more" >&2; exit 3 ;;
    unfinished) printf 'no line end' ;;
    die) kill -TERM $$ ;;
    count) echo "$#" ;;
    show) cat "$2" ;;
    read) cat ;;
    variable) eval "echo \"\${$2-unset}\"" ;;
    terminal) if [ -t 0 ]; then echo "a terminal"; else echo "no terminal"; fi ;;
esac
