#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The `date` of answers: 29 bytes, `Sun, 06 Nov 1994 08:49:37 GMT`, formatted once a second.
struct HTTPDate {
    private(set) var text: [UInt8]
    private(set) var second: Int

    init(unixSecond: Int = time(nil)) {
        second = unixSecond
        text = Self.format(unixSecond)
    }

    /// Formats anew if the second has changed.
    mutating func advance(to unixSecond: Int = time(nil)) {
        guard unixSecond != second else { return }
        self = HTTPDate(unixSecond: unixSecond)
    }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func format(_ unixSecond: Int) -> [UInt8] {
        let (day, time) = unixSecond.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(day)
        let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
        let text = "\(days[day % 7]), \(twoDigits(date.day)) \(months[date.month - 1]) \(date.year) \(clock) GMT"
        return Array(text.utf8)
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// Days since 1970 to a date of the Gregorian calendar, with years that begin in March so that leap days come last.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
