/// What was read at one edge since its last batch: downloads one by one, reads of index files as sums.
///
/// A batch keeps its number and its content until the origin has taken it, and the origin takes each number of a
/// spool once, so that nothing is counted twice however often it is sent.
/// Source: docs/EVENTS.md, "The access log".
package struct AccessBatch: Codable, Hashable, Sendable {
    /// One download, whole, as it left the edge.
    package struct Pull: Codable, Hashable, Sendable {
        /// Seconds since 1970, by the edge's clock.
        package var at: Int
        package var repository: String
        /// As the download's address spells it.
        package var crate: String
        package var version: String
        /// The token's id; nil for an anonymous reader.
        package var subject: String?
        package var bytes: Int
        /// `HIT`, `MISS` or `STALE`.
        package var cache: String
        /// Of the client, `192.0.2.7` or `2001:db8::7`; nil if it is not known, and from edges that don't tell. An origin that
        /// does not know of it leaves it out.
        package var address: String?

        package init(
            at: Int, repository: String, crate: String, version: String, subject: String?, bytes: Int, cache: String,
            address: String? = nil
        ) {
            self.at = at
            self.repository = repository
            self.crate = crate
            self.version = version
            self.subject = subject
            self.bytes = bytes
            self.cache = cache
            self.address = address
        }
    }

    /// So many reads of one thing on one day.
    package struct Reads: Codable, Hashable, Sendable {
        /// `2026-11-25`, in UTC.
        package var day: String
        package var repository: String
        package var crate: String
        /// Nil: of the crate's index file. A version: downloads whose details had to be dropped.
        package var version: String?
        package var count: Int

        package init(day: String, repository: String, crate: String, version: String?, count: Int) {
            self.day = day
            self.repository = repository
            self.crate = crate
            self.version = version
            self.count = count
        }
    }

    /// 32 lower-case hex digits, made with the edge's spool; a new spool counts its batches from 1 again.
    package var spool: String
    package var number: Int64
    package var pulls: [Pull]
    package var reads: [Reads]
    /// Nil for none, and from edges that don't tell of them. An origin that does not know of them leaves them out.
    package var refusals: [AccessRefusal]?

    package init(
        spool: String, number: Int64, pulls: [Pull], reads: [Reads], refusals: [AccessRefusal]? = nil
    ) {
        self.spool = spool
        self.number = number
        self.pulls = pulls
        self.reads = reads
        self.refusals = refusals
    }

    /// True for an id such as spools have.
    package var isSpoolNamed: Bool {
        spool.utf8.count == 32 && spool.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// What an edge puts into one batch at most, of pulls and of reads each, and what the origin takes at most.
    package static let rowsMax = 2000
    /// Likewise of refusals: fewer, because each becomes a line of audit, and lines are written one after the other.
    package static let refusalsMax = 200
    package static let bytesMax = 4 << 20

    /// The origin's answer: false if it had the batch already.
    package struct Taken: Codable, Hashable, Sendable {
        package let taken: Bool
        /// Rows that name nothing that can exist, and were left out.
        package let refused: Int

        package init(taken: Bool, refused: Int) {
            self.taken = taken
            self.refused = refused
        }
    }
}

/// A day of the calendar in UTC, as counts are kept: `2026-11-25`.
package enum CalendarDay {
    /// - Parameter seconds: since 1970.
    package static func text(ofUnix seconds: Int) -> String {
        // Days since 0000-03-01, so that the leap day is a year's last: Howard Hinnant's civil_from_days.
        let days = Int((Double(seconds) / 86_400).rounded(.down)) + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// True for a day from 1970 on that the calendar has.
    package static func isDay(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10])
        else { return false }
        return year >= 1970 && (1...12).contains(month) && (1...daysIn(month, of: year)).contains(day)
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        digits.allSatisfy { (0x30...0x39).contains($0) } ? digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
