/// When a version was published: UTC, whole seconds, exactly `2026-08-21T07:05:09Z`.
///
/// cargo drops a version whose time is written in any other way.
/// Source: docs/PROTOCOL.md, B8.
package struct Pubtime: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Returns: nil unless `text` is a time of the Gregorian calendar in exactly this form.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00Z".utf8)
        guard bytes.count == form.count else { return nil }
        for (byte, mark) in zip(bytes, form) {
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            guard mark == UInt8(ascii: "0") ? isDigit : byte == mark else { return nil }
        }
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } }
        guard (1...12).contains(number(5..<7)),
            (1...Self.days(inMonth: number(5..<7), of: number(0..<4))).contains(number(8..<10)),
            number(11..<13) < 24, number(14..<16) < 60, number(17..<19) < 60
        else { return nil }
        description = text
    }

    /// - Parameter seconds: since 1970, UTC. Nil before 1 March of the year 0 and after 9999.
    package init?(secondsSince1970 seconds: Int64) {
        guard Self.fourDigitYears.contains(seconds) else { return nil }
        // Days are counted from 1 March of the year 0, so that the leap day is the last one of its year; the first two
        // months of the year 0 are given up for that.
        let sinceMarch = seconds + 719_468 * 86_400
        let (days, second) = (sinceMarch / 86_400, sinceMarch % 86_400)
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = [(year, 4), (month, 2), (dayOfYear - (153 * shifted + 2) / 5 + 1, 2)]
        let time = [(second / 3_600, 2), (second / 60 % 60, 2), (second % 60, 2)]
        description =
            date.map(Self.padded).joined(separator: "-") + "T" + time.map(Self.padded).joined(separator: ":") + "Z"
    }

    private static let fourDigitYears: ClosedRange<Int64> = -719_468 * 86_400...253_402_300_799

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// The oldest Rust that can build a version: `1`, `1.60` or `1.60.0`, without operator or pre-release.
///
/// Source: docs/PROTOCOL.md, F22.
package struct RustVersion: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// - Returns: nil for text that makes cargo drop the version.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = { (part: Substring) in
            !part.isEmpty && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
                && (part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0")) && UInt64(part) != nil
        }
        guard (1...3).contains(parts.count), parts.allSatisfy(isNumber) else { return nil }
        description = text
    }
}
