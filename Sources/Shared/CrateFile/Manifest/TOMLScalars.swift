import Registry

// Numbers, booleans, dates and times: all that is one word without quotation marks.
extension TOMLCursor {
    mutating func scalar() throws(ManifestReader.Invalid) -> ManifestValue {
        let start = place
        var word = String(decoding: take { $0.isBareKey || "+.:".utf8.contains($0) }, as: UTF8.self)
        if let value = Self.bool(word) ?? Self.integer(word) ?? Self.float(word) { return value }
        if TOMLTime.isDate(word), let next = timeAfterSpace() {
            word += " " + next
            place += 1 + next.utf8.count
        }
        if TOMLTime.isMoment(word) { return .date(word) }
        guard !word.isEmpty else { throw fault("expected a value") }
        let isNumber = word.utf8.dropFirst().allSatisfy { $0.isDigit || $0 == UInt8(ascii: "_") }
        throw fault(
            isNumber && word.utf8.contains(where: \.isDigit)
                ? "`\(word.prefix(40))` is not a number of 64 bits without leading zeros"
                : "`\(word.prefix(40))` is not a value; put quotation marks around text", at: start)
    }

    /// A date and its time may be separated by one space.
    private func timeAfterSpace() -> String? {
        guard next == UInt8(ascii: " "), place + 1 < bytes.count, bytes[place + 1].isDigit else { return nil }
        let time = bytes[(place + 1)...].prefix { $0.isBareKey || "+.:".utf8.contains($0) }
        return String(decoding: time, as: UTF8.self)
    }

    private static func bool(_ word: String) -> ManifestValue? {
        switch word {
        case "true": .bool(true)
        case "false": .bool(false)
        default: nil
        }
    }

    private static func integer(_ word: String) -> ManifestValue? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            return withoutUnderscores(word.dropFirst(2)).flatMap { digits in
                // `Int64` would take a sign here, TOML does not.
                digits.utf8.first?.isHexDigit == true ? Int64(digits, radix: radix).map(ManifestValue.integer) : nil
            }
        }
        guard isWhole(word[...]), let digits = withoutUnderscores(word[...]) else { return nil }
        return Int64(digits).map(ManifestValue.integer)
    }

    private static func float(_ word: String) -> ManifestValue? {
        let unsigned = word.hasPrefix("-") || word.hasPrefix("+") ? word.dropFirst() : word[...]
        if unsigned == "inf" { return .float(word.hasPrefix("-") ? -.infinity : .infinity) }
        if unsigned == "nan" { return .float(.nan) }

        var mantissa = word[...]
        if let mark = word.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            let exponent = word[word.index(after: mark)...]
            let digits = exponent.hasPrefix("-") || exponent.hasPrefix("+") ? exponent.dropFirst() : exponent
            guard isDigits(digits) else { return nil }
            mantissa = word[..<mark]
        }
        let halves = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        // Without a dot or an exponent it is an integer, and one too large for 64 bits if it comes here.
        guard mantissa.endIndex < word.endIndex || halves.count == 2 else { return nil }
        guard isWhole(halves[0]), halves.count == 1 || isDigits(halves[1]) else { return nil }
        return withoutUnderscores(word[...]).flatMap(Double.init).map(ManifestValue.float)
    }

    /// A sign or none, then digits without leading zeros.
    private static func isWhole(_ word: Substring) -> Bool {
        let digits = word.hasPrefix("-") || word.hasPrefix("+") ? word.dropFirst() : word
        return isDigits(digits) && (digits.utf8.count == 1 || !digits.hasPrefix("0"))
    }

    private static func isDigits(_ word: Substring) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: "_") }
            && withoutUnderscores(word) != nil
    }

    /// - Returns: nil unless each underscore stands between two digits.
    private static func withoutUnderscores(_ word: Substring) -> String? {
        let bytes = Array(word.utf8)
        for (place, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard place > 0, place + 1 < bytes.count, bytes[place - 1].isHexDigit, bytes[place + 1].isHexDigit else {
                return nil
            }
        }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
}

/// Dates and times by RFC 3339, which stay text; only their form and ranges are checked.
enum TOMLTime {
    /// `2006-07-24`
    static func isDate(_ word: String) -> Bool {
        let parts = word.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let year = number(parts[0], digits: 4), let month = number(parts[1], digits: 2),
            let day = number(parts[2], digits: 2), (1...12).contains(month)
        else { return false }
        return (1...daysCount(year: year, month: month)).contains(day)
    }

    /// A date, a time, or both with or without an offset.
    static func isMoment(_ word: String) -> Bool {
        if isDate(word) || isTime(word[...]) { return true }
        let date = word.prefix(10)
        guard isDate(String(date)), let mark = word.dropFirst(10).first, "Tt ".contains(mark) else { return false }
        let time = word.dropFirst(11)
        if time.hasSuffix("Z") || time.hasSuffix("z") { return isTime(time.dropLast()) }
        guard let sign = time.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return isTime(time) }
        return isTime(time[..<sign]) && isClock(time[time.index(after: sign)...])
    }

    /// `01:21:28` or `01:21:28.5`
    private static func isTime(_ word: Substring) -> Bool {
        let halves = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let clock = halves[0].utf8.count == 8 && isClock(halves[0].prefix(5)) && halves[0].dropFirst(5).hasPrefix(":")
        // 60 is a leap second.
        guard clock, let second = number(halves[0].suffix(2), digits: 2), second <= 60 else { return false }
        return halves.count == 1 || (!halves[1].isEmpty && halves[1].utf8.allSatisfy(\.isDigit))
    }

    /// `01:21`
    private static func isClock(_ word: Substring) -> Bool {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let hour = number(parts[0], digits: 2), let minute = number(parts[1], digits: 2) else {
            return false
        }
        return hour < 24 && minute < 60
    }

    private static func daysCount(year: Int, month: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    private static func number(_ word: Substring, digits: Int) -> Int? {
        word.utf8.count == digits && word.utf8.allSatisfy(\.isDigit) ? Int(word) : nil
    }
}
