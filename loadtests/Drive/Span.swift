import ArgumentParser

/// A time on the command line: `500ms`, `10s`, `2m`, `1h`, `1.5s`.
struct Span: Hashable, Sendable, ExpressibleByArgument, CustomStringConvertible {
    private static let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600)]

    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let unit = Self.units.first(where: { argument.hasSuffix($0.suffix) }),
            let number = Double(argument.dropLast(unit.suffix.count)), number.isFinite, number >= 0, number < 1e9
        else { return nil }
        duration = .milliseconds(Int64((number * unit.seconds * 1_000).rounded()))
    }

    var defaultValueDescription: String { description }

    var description: String {
        let milliseconds = Int64(duration / .milliseconds(1))
        return milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }
}
