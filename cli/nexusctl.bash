# bash completion for nexusctl: the program itself knows its commands and options.
_nexusctl() {
	local previous=${COMP_WORDS[COMP_CWORD-1]}
	case $previous in
	--state) mapfile -t COMPREPLY < <(compgen -d -- "$2"); return ;;
	--config) mapfile -t COMPREPLY < <(compgen -f -- "$2"); return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$(nexusctl complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$2")
}
complete -F _nexusctl nexusctl
