#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Numbers as people read them: three digits that matter, a unit, groups of thousands.
enum Shown {
    /// `-` for what does not exist.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        let scale = pow(10, Double(digits))
        let scaled = Int((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + count(scaled) }
        let fraction = String(scaled % Int(scale))
        return sign + count(scaled / Int(scale)) + "." + String(repeating: "0", count: digits - fraction.count)
            + fraction
    }

    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// `0.81 µs`, `81.2 µs`, `4.21 ms`, `1.83 s`
    static func time(_ milliseconds: Double) -> String {
        switch abs(milliseconds) {
        case ..<0.9995: significant(milliseconds * 1_000) + " µs"
        case ..<999.5: significant(milliseconds) + " ms"
        default: significant(milliseconds / 1_000) + " s"
        }
    }

    /// `812 B`, `4.21 KiB`, `1.83 MiB`
    static func bytes(_ count: Double) -> String {
        var (value, units) = (count, ["KiB", "MiB", "GiB", "TiB"][...])
        guard abs(value) >= 1_024 else { return fixed(value, 0) + " B" }
        value /= 1_024
        while abs(value) >= 1_000, units.count > 1 {
            value /= 1_024
            units = units.dropFirst()
        }
        return significant(value) + " " + (units.first ?? "")
    }

    /// Three digits that matter.
    static func significant(_ value: Double) -> String {
        switch abs(value) {
        case ..<9.995: fixed(value, 2)
        case ..<99.95: fixed(value, 1)
        default: fixed(value, 0)
        }
    }

    /// A label of an axis: `1 s`, not `1.00 s`.
    static func tick(_ text: String) -> String {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard var number = parts.first, number.contains(".") else { return text }
        while number.last == "0" { number = number.dropLast() }
        if number.last == "." { number = number.dropLast() }
        return ([number] + parts.dropFirst()).joined(separator: " ")
    }

    static func share(_ value: Double) -> String { fixed(value * 100, value > 0 && value < 0.1 ? 1 : 0) + " %" }
}
