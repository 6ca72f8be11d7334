/// Which prepared statements a connection holds, by SQL text: bounded, the one unused for longest goes first.
struct StatementCache {
    private struct Entry {
        let name: String
        var lastUse: UInt64
    }

    private let countMax: Int
    private var entries: [String: Entry] = [:]
    private var uses: UInt64 = 0
    private var made: UInt64 = 0

    init(countMax: Int) {
        precondition(countMax > 0, "a connection keeps at least the statement that it runs")
        self.countMax = countMax
    }

    var isFull: Bool { entries.count >= countMax }

    /// The name of the prepared statement for `sql`, which counts as a use; nil if it must be prepared.
    mutating func name(of sql: String) -> String? {
        uses += 1
        entries[sql]?.lastUse = uses
        return entries[sql]?.name
    }

    /// A name that no statement of this connection ever had.
    mutating func newName() -> String {
        made += 1
        return "s\(made)"
    }

    mutating func keep(_ name: String, for sql: String) {
        uses += 1
        entries[sql] = Entry(name: name, lastUse: uses)
    }

    /// Forgets the statement unused for longest.
    ///
    /// - Returns: its name, to be deallocated at the server.
    mutating func dropOldest() -> String? {
        guard let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        entries[oldest.key] = nil
        return oldest.value.name
    }

    mutating func dropAll() { entries = [:] }
}
