/** Examples of every command; help, the manual page and the tests read them here. */
export interface Example {
  readonly line: string;
  readonly words: string;
}

const example = (line: string, words: string): Example => ({ line, words });

/** By the words of the command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  "grid run": [
    example("grid run pipelines/train.yaml -i epochs=5", "a pipeline, with an input"),
    example("grid run pipelines/train.yaml --only eval", "one step of it"),
    example('grid run "nvidia-smi" --node gpu1', "one command, on that node"),
    example(
      'grid run "cd app && python train.py" --gpus 2 --timeout 8h',
      "in the folder that `grid sync app` brought, on a node with two free GPUs",
    ),
    example("grid run -- python -c 'print(6 * 7)'", "a command as separate words"),
    example('grid run "wc -c" < data.bin', "what comes in, the command reads"),
  ],
  "grid free": [
    example("grid free", "what is free, a line per GPU model, to paste into a pipeline"),
  ],
  "grid doctor": [
    example("grid doctor", "every node, as a step would use it, with the repair of each fault"),
    example("grid doctor gpu1", "one node, beside what ssh does"),
  ],
  "grid drain": [
    example('grid drain gpu1 --reason "new driver" --until 8h', "give it no more work"),
  ],
  "grid undrain": [example("grid undrain gpu1", "work may go there again")],
  "grid data": [example("grid data", "the data sets on the nodes, and who uses them")],
  "grid data pin": [example("grid data pin images", "keep it, however long nobody uses it")],
  "grid data unpin": [example("grid data unpin images", "it may go again")],
  "grid data remove": [example("grid data remove images", "its files on the nodes, unless in use")],
  "grid services": [example("grid services", "what serves, where, and until when")],
  "grid services stop": [
    example("grid services stop tensorboard", "end it, with everything it started"),
    example("grid services stop last tensorboard", "that of the last run"),
  ],
  "grid forward": [
    example("grid forward tensorboard", "the service, at an address of this machine"),
    example("grid forward gpu1 8888 --local-port 9000", "a port of a node, at this port here"),
  ],
  "grid shell": [
    example("grid shell gpu1", "a login"),
    example("grid shell last train", "where a step runs, with its variables"),
  ],
  "grid queue": [example("grid queue", "who holds GPUs, who waits, and how long about")],
  "grid validate": [
    example("grid validate pipelines", "every mistake of every pipeline in a folder"),
    example("grid validate pipelines --format github", "as annotations of a pull request"),
  ],
  "grid plan": [
    example("grid plan pipelines/train.yaml", "what would run, in which order, where"),
    example("grid plan pipelines/train.yaml --check", "and whether the nodes could do it now"),
  ],
  "grid graph": [
    example("grid graph pipelines/train.yaml --format mermaid", "for a Markdown page"),
  ],
  "grid resume": [
    example("grid resume", "go on from the last run"),
    example("grid resume last --from eval", "and do eval again, with all that comes after it"),
  ],
  "grid submit": [
    example("grid submit pipelines/train.yaml", "the terminal may be closed; the run goes on"),
    example("grid submit --on gpu1 pipelines/train.yaml", "so may this machine: gpu1 runs it"),
  ],
  "grid attach": [
    example("grid attach train", "the newest run of that pipeline, from its beginning"),
  ],
  "grid cancel": [example("grid cancel last", "end the run that began last")],
  "grid runs": [
    example("grid runs -n 5", "the five newest"),
    example("grid runs --pipeline train --state failed --since 7d", "what failed this week"),
    example("grid runs --columns accuracy,lr", "outputs and inputs side by side"),
    example('grid runs last --note "baseline, new split"', "a note on the last run"),
  ],
  "grid show": [example("grid show last", "steps, attempts, nodes, times")],
  "grid logs": [
    example("grid logs last train", "what a step printed"),
    example("grid logs last train --follow", "and what it goes on to print"),
  ],
  "grid why": [example("grid why last train", "why it ran, waited, was skipped or reused")],
  "grid report": [example("grid report last", "where its report lies")],
  "grid health": [
    example("grid health", "load, GPUs and score of every node"),
    example("grid health --watch", "again every two seconds"),
  ],
  "grid sync": [
    example("grid sync data --to gpu1,gpu2", "bring a folder to two nodes"),
    example("grid sync data --explain", "only say what would be sent, and why"),
  ],
  "grid fetch": [
    example("grid fetch 'out/*.json' --step train --to results", "from where the last train ran"),
    example("grid fetch model.pt --step sweep --to 'best/{node}'", "from every cell of a matrix"),
    example("grid fetch logs --node gpu1 --folder app --dry-run", "only say what would come"),
  ],
  "grid diff": [
    example("grid diff", "the last run beside the one before it of the same pipeline"),
    example("grid diff train@5 train", "older ones"),
  ],
  "grid serve": [
    example("grid serve", "pages on this machine, opened in the browser"),
    example("grid serve --port 0 --no-open", "on any free port; prints the address"),
    example("grid serve --schedule", "and start the runs of pipelines/ at their times"),
  ],
  "grid schedule": [
    example("grid schedule --next 3", "of pipelines/: the next three times, the last run"),
    example("grid schedule --pause pipelines/nightly.yaml", "start none of its runs for now"),
  ],
  "grid cluster": [example("grid cluster start", "Ray on every node")],
  "grid cluster start": [example("grid cluster start --nodes gpu1,gpu2", "Ray on two nodes")],
  "grid cluster stop": [example("grid cluster stop", "end what start began")],
  "grid cluster status": [example("grid cluster status", "which nodes carry Ray, and for whom")],
  "grid cluster logs": [
    example("grid cluster logs", "the ends of what tells of a failure"),
    example("grid cluster logs --nodes gpu1 -n 200 raylet.out", "more of one file"),
  ],
  "grid cluster dashboard": [
    example("grid cluster dashboard --token", "an address for the browser, and its token"),
  ],
  "grid setup": [example("grid setup", "a Python environment with Ray on every node")],
  "grid trust": [
    example("grid trust gpu1", "show its host keys, ask, and add them to known_hosts"),
  ],
  "grid login": [
    example("grid login gpu1", "answer what its login asks; commands then ride on it"),
    example("grid login --end gpu1", "end that connection"),
  ],
  "grid ps": [example("grid ps", "what Grid's jobs left running")],
  "grid kill": [example("grid kill 20260131-142530-x7k2.train.1", "one of the jobs that ps lists")],
  "grid init": [
    example("grid init", "in your own repository"),
    example("grid init --from nightly --nodes gpu1,gpu2", "a template, on two of your hosts"),
  ],
  "grid ci": [example("grid ci init github", "a workflow that runs your pipeline")],
  "grid ci init": [
    example("grid ci init gitlab --pipeline pipelines/train.yaml", "a job that runs this one"),
  ],
  "grid clean": [
    example("grid clean --older 7d --dry-run", "what would go"),
    example("grid clean --keep 10", "all but the newest ten"),
    example("grid clean --nodes --dry-run", "also folders on the nodes, unused for 30 days"),
  ],
  "grid completions": [
    example("grid completions bash > ~/.local/share/bash-completion/completions/grid", "for bash"),
    example("grid completions fish > ~/.config/fish/completions/grid.fish", "for fish"),
  ],
  "grid man": [example("grid man | man -l -", "read it now")],
  "grid metrics": [example("grid metrics > grid.prom", "for Prometheus' textfile collector")],
};
