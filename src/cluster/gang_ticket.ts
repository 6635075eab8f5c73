/** Names of a gang's places in lines sort by when it came, wherever it stands; see `lineOrder`. */
export function gangTicket(now: number, word: string): string {
  return `gang-${Math.max(0, Math.floor(now)).toString(36).padStart(10, "0")}-${word}`;
}

export function isGangTicket(id: string): boolean {
  return /^gang-[0-9a-z]{10}-/.test(id);
}
