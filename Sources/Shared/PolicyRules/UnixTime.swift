import Registry

/// Times as numbers: seconds since 1970, UTC.
package enum UnixTime {
    /// - Parameter text: a time, `2026-08-21T07:05:09Z`, or a day, which means its first second.
    /// - Returns: nil if the calendar has no such time.
    package static func seconds(_ text: String) -> Int? {
        guard let time = Pubtime(text.utf8.count == 10 ? text + "T00:00:00Z" : text) else { return nil }
        let parts = time.description.dropLast().split { $0 == "-" || $0 == "T" || $0 == ":" }.compactMap { Int($0) }
        guard parts.count == 6 else { return nil }
        // Years begin in March, so that the leap day is the last one.
        let year = parts[0] - (parts[1] <= 2 ? 1 : 0)
        let month = (parts[1] + 9) % 12
        let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + parts[2] - 1 - 719_468
        return ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5]
    }
}

/// A length of time as people write it: `30m`, `12h`, `3d`, `2w`.
package enum TimeSpan {
    package static let secondsMax = 10 * 365 * 86_400

    /// - Returns: seconds; nil for text of another form, for nothing and for more than ten years.
    package static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        guard let last = text.last, let unit = units[last], text.utf8.count <= 9,
            text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(text.dropLast()),
            count > 0, count * unit <= secondsMax
        else { return nil }
        return count * unit
    }
}

/// A number of bytes as people write it: `500kB`, `10MB`, `1GB`; powers of a thousand.
package enum ByteCount {
    /// - Returns: nil for text of another form.
    package static func bytes(_ text: String) -> Int? {
        for (ending, unit) in [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)] where text.hasSuffix(ending) {
            let digits = text.dropLast(2)
            guard digits.utf8.count <= 6, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int(digits).map { $0 * unit }
        }
        return nil
    }
}
