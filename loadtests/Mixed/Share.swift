import ArgumentParser

/// `resolve-cold=50`: how many of all sessions are of a kind.
struct Share: Hashable, Sendable, ExpressibleByArgument {
    enum Kind: String, CaseIterable, Sendable {
        case resolveCold = "resolve-cold"
        case resolveWarm = "resolve-warm"
        case resolveLocked = "resolve-locked"
        case fetch, publish

        /// Nil for what resolves nothing.
        var home: CargoHome.Kind? {
            switch self {
            case .resolveCold: .cold
            case .resolveWarm: .warm
            case .resolveLocked: .locked
            case .fetch, .publish: nil
            }
        }
    }

    let kind: Kind
    /// Of the sum of all weights.
    let weight: Double

    init(_ kind: Kind, _ weight: Double) { (self.kind, self.weight) = (kind, weight) }

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let weight = Double(parts[1]),
            weight > 0, weight <= 1_000_000
        else { return nil }
        self.init(kind, weight)
    }
}
