/** `12:03:04`, in the reader's own zone unless another is named. */
export function createTimeOfDay(timeZone?: string): (ms: number) => string {
  const format = timeZone === undefined ? ownTime : timeIn(timeZone);
  // Output comes in bursts: the same second is asked for again and again.
  let second = Number.NaN;
  let text = "";
  return (ms) => {
    const asked = Math.floor(ms / 1000);
    if (asked !== second) {
      second = asked;
      text = format(ms);
    }
    return text;
  };
}

/** Without `Intl`, whose data take longer to load than a pipeline. */
function ownTime(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

function timeIn(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone,
  });
  return (ms) => format.format(ms);
}
