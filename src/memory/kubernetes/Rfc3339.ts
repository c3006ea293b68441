/** Times as the API server writes them. By arithmetic: `Date` is forbidden inside the simulator. */
const dayMillis = 86_400_000

/** `2026-11-24T15:17:10Z`: whole seconds, rounded down. */
export const fromMillis = (millis: number): string => {
  const days = Math.floor(millis / dayMillis)
  const second = Math.floor((millis - days * dayMillis) / 1000)
  const [year, month, day] = civil(days)
  const time = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60]
    .map((part) => pad(part, 2))
    .join(":")
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}Z`
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0")

/** Days since 1970-01-01 to year, month, day: Howard Hinnant's civil_from_days, for eras that begin in March. */
const civil = (days: number): readonly [number, number, number] => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}
