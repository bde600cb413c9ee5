# SPDX-License-Identifier: Apache-2.0
# bash completion for gleakd; written by 'make reference'.

_gleakd()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words

	COMPREPLY=()
	# bash makes three words of --name=value.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	case $prev in
	--pid | -p)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur")
		return
		;;
	--min-age)
		return
		;;
	--interval)
		return
		;;
	--duration)
		return
		;;
	--user)
		return
		;;
	--report)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--output | -o)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--max-size)
		return
		;;
	--min-park)
		return
		;;
	--format | -f)
		mapfile -t COMPREPLY < <(compgen -W 'text json junit github' -- "$cur")
		return
		;;
	--with-trace)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--state)
		mapfile -t COMPREPLY < <(compgen -W 'waiting running runnable syscall' -- "$cur")
		return
		;;
	--reason)
		return
		;;
	--func)
		return
		;;
	--label)
		return
		;;
	--goid)
		return
		;;
	--mode)
		mapfile -t COMPREPLY < <(compgen -W 'census lifecycle full waits auto' -- "$cur")
		return
		;;
	--max-overhead)
		return
		;;
	--max-self-cpu)
		return
		;;
	--max-stop)
		return
		;;
	--max-memory)
		return
		;;
	--max-targets)
		return
		;;
	--min-process-age)
		return
		;;
	--only)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W 'comm: exe: unit: cgroup: user:' -- "$cur")
		return
		;;
	--exclude)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -W 'comm: exe: unit: cgroup: user:' -- "$cur")
		return
		;;
	--group-by)
		mapfile -t COMPREPLY < <(compgen -W 'exe comm unit container pid' -- "$cur")
		return
		;;
	--pprof)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--sort)
		mapfile -t COMPREPLY < <(compgen -W 'in_use_bytes in_use_objects alloc_bytes alloc_objects growth' -- "$cur")
		return
		;;
	--by)
		mapfile -t COMPREPLY < <(compgen -W 'all site type holder goroutine creation label' -- "$cur")
		return
		;;
	--probe-opens)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	--explain)
		return
		;;
	--type)
		return
		;;
	--goroutine)
		return
		;;
	--site)
		return
		;;
	--object)
		return
		;;
	--html)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--source)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--allow)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--evidence)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--max-evidence)
		return
		;;
	--max-evidence-size)
		return
		;;
	--trigger)
		return
		;;
	--textfile)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--fail-on)
		mapfile -t COMPREPLY < <(compgen -W 'leaking stuck growing suspected memory' -- "$cur")
		return
		;;
	--error-exitcode)
		return
		;;
	--config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	watch) words='--pid -p --min-age --interval --duration --report --format -f --once --goroutines --mode --max-overhead --max-self-cpu --no-heap --resources --max-memory --max-targets --min-process-age --only --exclude --group-by --json --verbose -v --by --probe-opens --all --explain --html --source --allow --state --evidence --max-evidence --max-evidence-size --trigger --textfile --fail-on --error-exitcode --json-schema --config --print-config --color --help -h --version -V' ;;
	run) words='--min-age --interval --duration --user --report --format -f --mode --max-overhead --no-heap --verbose -v --all --html --source --allow --fail-on --error-exitcode --color --help -h --version -V' ;;
	top) words='--pid -p --min-age --interval --duration --mode --max-overhead --max-self-cpu --no-heap --resources --max-memory --max-targets --min-process-age --only --exclude --by --probe-opens --allow --color --help -h --version -V' ;;
	list) words='--json --verbose -v --color --help -h --version -V' ;;
	dump) words='--pid -p --state --reason --func --min-age --label --goid --folded --json --verbose -v --all --pprof --color --help -h --version -V' ;;
	prove) words='--pid -p --min-age --max-stop --max-memory --json --verbose -v --all --html --source --allow --fail-on --error-exitcode --color --help -h --version -V' ;;
	heap) words='--pid -p --duration --max-memory --json --verbose -v --sort --by --exact --max-overhead --pprof --all --html --allow --error-exitcode --color --help -h --version -V' ;;
	holders) words='--pid -p --max-memory --json --verbose -v --all --type --goroutine --site --object --color --help -h --version -V' ;;
	resources) words='--pid -p --duration --max-memory --json --verbose -v --probe-opens --max-overhead --all --html --color --help -h --version -V' ;;
	record) words='--pid -p --min-age --interval --duration -d --output -o --max-size --min-park --mode --max-overhead --no-heap --max-memory --verbose -v --by --probe-opens --allow --help -h --version -V' ;;
	report) words='--output -o --format -f --memory --contention --with-trace --verbose -v --all --source --color --help -h --version -V' ;;
	diff) words='--json --error-exitcode --color --help -h --version -V' ;;
	doctor) words='--json --textfile --color --help -h --version -V' ;;
	help) words='--help -h --version -V watch run top list dump prove heap holders resources record report diff doctor help version' ;;
	version) words='--help -h --version -V' ;;
	*) words='--pid -p --min-age --interval --duration --report --format -f --once --goroutines --mode --max-overhead --max-self-cpu --no-heap --resources --max-memory --max-targets --min-process-age --only --exclude --group-by --json --verbose -v --by --probe-opens --all --explain --html --source --allow --state --evidence --max-evidence --max-evidence-size --trigger --textfile --fail-on --error-exitcode --json-schema --config --print-config --color --help -h --version -V' ;;
	esac
	if [[ $COMP_CWORD -eq 1 && $cur != -* ]]; then
		words='watch run top list dump prove heap holders resources record report diff doctor help version'
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _gleakd gleakd
