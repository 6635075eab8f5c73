/** The two times of events. */

/** Milliseconds since the Unix epoch, as the date stood; NTP or a person may have set it meanwhile. */
export type Timestamp = number;
/**
 * Milliseconds by a clock that does not jump; differences of timestamps are no measure. Journals of
 * older Grids have none.
 */
export type Measured = number;
