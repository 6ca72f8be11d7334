/// A CVSS score in tenths: 0.0 to 10.0, exact.
package struct Score: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let tenthsMax = 100

    /// 0...100
    package let tenths: Int

    /// - Returns: nil outside of 0...100.
    package init?(tenths: Int) {
        guard (0...Self.tenthsMax).contains(tenths) else { return nil }
        self.tenths = tenths
    }

    /// For what was computed from a table or a formula that ends in these bounds.
    init(clamping tenths: Int) { self.tenths = min(max(tenths, 0), Self.tenthsMax) }

    /// `9.8`
    package var description: String { "\(tenths / 10).\(tenths % 10)" }

    /// What people call it. Source: CVSS 3.1, table 14; CVSS 4.0, table 22.
    package var severity: Severity {
        switch tenths {
        case 0: .none
        case 1..<40: .low
        case 40..<70: .medium
        case 70..<90: .high
        default: .critical
        }
    }

    package static func < (left: Score, right: Score) -> Bool { left.tenths < right.tenths }
}

extension Score: Codable {
    /// A JSON number, `9.8`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Double.self)
        guard number.isFinite, let score = Score(tenths: Int((number * 10).rounded().clamped)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a score is 0.0 to 10.0")
        }
        self = score
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Double(tenths) / 10)
    }
}

extension Double {
    /// Near enough to be made an `Int`, far enough to stay out of bounds.
    fileprivate var clamped: Double { Swift.min(Swift.max(self, -1e6), 1e6) }
}

/// How bad it is, in a word; in this order, so that `severity >= .high` reads as it says.
package enum Severity: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
    case none, low, medium, high, critical

    private var rank: Int {
        switch self {
        case .none: 0
        case .low: 1
        case .medium: 2
        case .high: 3
        case .critical: 4
        }
    }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}
