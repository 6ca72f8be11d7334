/// Where an answer sends its reader, as libcurl follows it for cargo: to a path of the same server, or to a whole address.
///
/// Source: docs/PROTOCOL.md, "Resolving"; a `Location` of another form is no redirect.
struct WireRedirect: Hashable, Sendable {
    /// What cargo allows for one file.
    static let hopsMax = 30
    private static let statuses: Set = [301, 302, 303, 307, 308]

    let target: WireTarget
    let path: String

    /// - Parameter speech: with another server; nil: as cargo.
    init?(_ outcome: WireOutcome, from target: WireTarget, speech: WireTarget.Speech?) {
        guard case .success(let answer) = outcome, Self.statuses.contains(answer.status),
            let location = answer.field("location")
        else { return nil }
        if location.hasPrefix("/"), !location.hasPrefix("//") {
            (self.target, path) = (target, location)
            return
        }
        // A signed address has a query, which is no part of a base.
        let parts = location.split(separator: "?", maxSplits: 1)
        guard let base = parts.first.flatMap({ WebBase(String($0)) }) else { return nil }
        self.target = WireTarget(base, speech)
        path = base.path + (parts.count > 1 ? "?\(parts[1])" : "")
    }
}
