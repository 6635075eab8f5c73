# fish completion for grid: grid completions fish > ~/.config/fish/completions/grid.fish
function __grid_complete
    set -l words (commandline -opc)
    for line in ($words[1] __complete $words[2..] (commandline -ct) 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c grid -f -a '(__grid_complete)'
