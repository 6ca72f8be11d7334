/// A moment as PostgreSQL's `timestamptz` keeps it: microseconds since 1970-01-01T00:00:00Z, negative before.
///
/// `infinity` and years before 1 cannot be read; nothing here writes them.
package struct PostgresTimestamp: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int64 { Self.floorDivide(microseconds, 1_000_000).quotient }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    static func floorDivide(_ value: Int64, _ by: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
        return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
    }
}

extension PostgresTimestamp: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(text) }

    /// `2026-11-23T05:00:00.000001Z`.
    private var text: String {
        let (second, fraction) = Self.floorDivide(microseconds, 1_000_000)
        let (day, time) = Self.floorDivide(second, 86400)
        let date = Self.date(ofDay: day)
        func pad(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))"
            + "T\(pad(time / 3600, 2)):\(pad(time / 60 % 60, 2)):\(pad(time % 60, 2)).\(pad(fraction, 6))Z"
    }

    // Gregorian calendar in eras of 400 years that begin in March, so that leap days come last.
    // Source: Howard Hinnant, "chrono-compatible low-level date algorithms".
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, ofEra) = floorDivide(day + 719_468, 146_097)
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36524 - ofEra / 146_096) / 365
        let dayOfYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    static func day(ofYear year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension PostgresTimestamp: PostgresDecodable {
    /// Reads `2026-11-23 05:00:00.123456+00`, as a session in UTC with ISO dates writes it.
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> PostgresTimestamp? {
        guard let bytes, !bytes.contains(UInt8(ascii: "B")) else { return nil }
        var numbers: [Int64] = []
        var fraction: Int64 = 0
        let text = bytes.prefix { $0 != UInt8(ascii: "+") }
        let halves = text.split(separator: UInt8(ascii: "."))
        guard let whole = halves.first, halves.count <= 2 else { return nil }
        for part in whole.split(whereSeparator: { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            guard let number = Int64(String(decoding: part, as: UTF8.self)) else { return nil }
            numbers.append(number)
        }
        if halves.count == 2 {
            let digits = String(decoding: halves[1], as: UTF8.self)
            guard digits.count <= 6, let number = Int64(digits + String(repeating: "0", count: 6 - digits.count))
            else { return nil }
            fraction = number
        }
        guard numbers.count == 6 else { return nil }
        let day = day(ofYear: numbers[0], numbers[1], numbers[2])
        let second = day * 86400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
        return PostgresTimestamp(microseconds: second * 1_000_000 + fraction)
    }
}
