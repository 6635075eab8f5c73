/** When runs begin by themselves, and what became of the last times. */
import { actionForm, type Frame, renderPage, runPath } from "./layout.ts";
import type { Parts } from "./live.ts";
import { type Markup, markup, NOTHING } from "./markup.ts";
import { stateWords } from "./runs_page.ts";
import type { SchedulesView, ScheduleTime, ScheduleView } from "./sources.ts";

export function schedulePage(frame: Frame, view: SchedulesView): Markup {
  return renderPage(frame, {
    title: "Schedule",
    at: "schedule",
    live: "/schedule/events",
    main: markup`<h1>Schedule</h1>
${scheduleMarkup(view, frame)}`,
  });
}

type Look = Pick<Frame, "now" | "formToken">;

export function scheduleParts(view: SchedulesView, look: Look): Parts {
  return new Map([["schedules", scheduleMarkup(view, look).text]]);
}

function scheduleMarkup({ rows, problems, isServing }: SchedulesView, look: Look): Markup {
  const nothing = isServing
    ? "No pipeline that this grid serve looks after has a schedule."
    : "Nothing begins by itself here: give a pipeline a schedule, and start grid serve --schedule.";
  return markup`<div id="schedules">${
    problems.map((words) =>
      markup`<p class="bad-ink">${words}; its schedule stays as it was read last</p>`
    )
  }${
    rows.length === 0
      ? markup`<p class="soft">${nothing}</p>`
      : markup`<div class="cards">${rows.map((row) => card(row, look))}</div>`
  }</div>`;
}

function card(row: ScheduleView, look: Look): Markup {
  const { pipeline, file, name, cron, zone, paused, isEnabled } = row;
  const title = name === "schedule" ? pipeline : `${pipeline}: ${name}`;
  const key = `file=${encodeURIComponent(file)}&name=${encodeURIComponent(name)}`;
  const counts = [
    countWords(row.missed, "missed"),
    countWords(row.skipped, "skipped"),
    countWords(row.failed, "could not begin"),
  ].filter((words) => words !== "").join(", ");
  return markup`
    <article class="card">
      <h2><i class="dot ${
    dotOf(row)
  }"></i>${title}<span class="soft mono" title="${file}">${cron}</span></h2>
      <p>${nextWords(row, look.now)}</p>
      <p class="soft small">${zone}${counts === "" ? "" : `; ${counts}`}</p>
      ${timesTable(row.shown)}
      ${
    isEnabled
      ? markup`<div class="actions">${
        actionForm(look, {
          path: `/schedule/${paused === undefined ? "pause" : "unpause"}?${key}`,
          label: paused === undefined ? "pause" : "go on",
        })
      }</div>`
      : NOTHING
  }
    </article>
  `;
}

function dotOf({ isEnabled, paused, isLeft, shown }: ScheduleView): string {
  if (!isEnabled || paused !== undefined) return "pending";
  if (isLeft) return "failed";
  const [last] = shown;
  return last === undefined ? "pending" : last.result;
}

function nextWords({ isEnabled, paused, isLeft, next, nextAt }: ScheduleView, now: number): Markup {
  if (!isEnabled) return markup`<span class="warn-ink">switched off in its file</span>`;
  if (paused !== undefined) return markup`<span class="warn-ink">paused by ${paused}</span>`;
  if (isLeft) {
    return markup`<b class="bad-ink">Nobody starts its runs:</b> start grid serve --schedule`;
  }
  if (next === undefined || nextAt === undefined) return markup`no further time`;
  return markup`next <b>${next}</b> <span class="soft">in ${inWords(nextAt - now)}</span>`;
}

/** Of a length that shrinks while one looks: seconds only where they are all there is. */
export function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return `${hours}h${rest === 0 ? "" : ` ${rest}m`}`;
  return `${Math.round(hours / 24)} days`;
}

function countWords(count: number, words: string): string {
  return count === 0 ? "" : `${count} ${words}`;
}

function timesTable(times: readonly ScheduleTime[]): Markup {
  if (times.length === 0) return markup`<p class="soft small">no time has come yet</p>`;
  return markup`<ul class="small">${
    times.map(({ time, result, run, said }, at) =>
      markup`<li>${time} ${
        run === undefined
          ? markup`<span class="warn-ink">${result}</span>`
          : markup`<span class="state">${stateWords(result)}</span> ${
            result === "failed" && said !== undefined ? "" : runLink(run)
          }`
      }${
        said === undefined || said === times[at - 1]?.said
          ? NOTHING
          : markup`<div class="bad-ink">${said}</div>`
      }</li>`
    )
  }</ul>`;
}

function runLink(run: string): Markup {
  return markup`<a class="mono" href="${runPath(run)}">${run}</a>`;
}
