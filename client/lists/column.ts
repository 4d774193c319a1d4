export interface Column<Row> {
  /** Also the name of the slot that shows the cell. The first column names the row, `actions` is the last. */
  key: string
  title: string
  width?: number
  minWidth?: number
  align?: 'right'
  /** Hidden below 1440 px unless the reader chose otherwise. */
  isWide?: boolean
  /** Takes the whole width of a card on a phone. */
  isLong?: boolean
  /** What the column is sorted by. Money is compared as BigInt. */
  sortBy?: (row: Row) => string | number | bigint
}

/** How somebody wants to see a list; kept in this browser. */
export interface ListView {
  isDense: boolean
  /** Columns that were shown or hidden by hand. */
  columns: Record<string, boolean>
}

/** How rows are in order now, and what a press on the head of a column does. */
export interface RowOrder {
  directionOf: (key: string) => 'ascending' | 'descending' | undefined
  turn: (key: string) => void
}

/** Narrower than this, a table scrolls sideways. */
export const tableWidth = <Row>(columns: readonly Column<Row>[]): number =>
  columns.reduce((sum, { width, minWidth }) => sum + (width ?? minWidth ?? 0), 0)

const wideFrom = 1440

export function readListView(stored: string | null): ListView {
  try {
    const { isDense, columns } = JSON.parse(stored ?? '{}') as Partial<ListView>
    return { isDense: isDense === true, columns: typeof columns === 'object' && columns !== null ? columns : {} }
  } catch {
    return { isDense: false, columns: {} }
  }
}

/** The first column and the actions are always shown. On a phone each row is a card with all columns. */
export function shownColumns<Row>(columns: readonly Column<Row>[], view: ListView, screenWidth: number): Column<Row>[] {
  return columns.filter(({ key, isWide }, index) => {
    if (index === 0 || key === 'actions') return true
    return view.columns[key] ?? (!isWide || screenWidth >= wideFrom || screenWidth < 768)
  })
}

/** Rows by a column; `sort` is its key, with `-` in front when descending. Unknown columns change nothing. */
export function sortedRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sort: string): readonly Row[] {
  const isDown = sort.startsWith('-')
  const by = columns.find(({ key }) => key === sort.replace(/^-/, ''))?.sortBy
  if (by === undefined) return rows
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one), by(other)]
    const order = typeof a === 'string' && typeof b === 'string' ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0
    return isDown ? -order : order
  })
}
