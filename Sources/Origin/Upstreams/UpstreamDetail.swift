import Registry

/// What a line of the audit log says of an upstream's settings; pure.
///
/// | setting                            | `upstream.add`        | `upstream.set`, if it has changed                    |
/// |------------------------------------|-----------------------|------------------------------------------------------|
/// | `index`                            | always                | always, and `index_before`                           |
/// | `fresh_seconds`                    | always                | `fresh_seconds`, `fresh_seconds_before`              |
/// | `allow_private`                    | `true` if it may      | `true` or `false`                                    |
/// | `include`, `exclude`, `also_hosts` | if there are any      | what came and what went: `exclude_added`, `exclude_removed` |
/// | `position`                         | if it was asked for   | `position`, `position_before`                        |
/// | `credential`                       | `set` if there is one | `set` or `removed`                                   |
///
/// Of a credential no more than that is said. Of a list at most `listedMax` are named, and the others counted.
struct UpstreamDetail: Hashable, Sendable {
    static let listedMax = 20

    private(set) var detail: [String: String]

    /// Of an upstream that is new.
    init(_ offer: UpstreamOffer) {
        detail = [
            "upstream": offer.name.description, "index": offer.index.url, "fresh_seconds": "\(offer.freshSeconds)",
        ]
        if offer.privateAllowed { detail["allow_private"] = "true" }
        if offer.filter.include != [.everything] { detail["include"] = Self.listed(offer.filter.include) }
        detail["exclude"] = Self.listed(offer.filter.exclude)
        detail["also_hosts"] = Self.listed(offer.alsoHosts)
    }

    /// Of one that was another before.
    init(from old: Upstream, to offer: UpstreamOffer) {
        detail = ["upstream": offer.name.description, "index": offer.index.url]
        if old.index != offer.index { detail["index_before"] = old.index.url }
        if old.freshSeconds != offer.freshSeconds {
            detail["fresh_seconds"] = "\(offer.freshSeconds)"
            detail["fresh_seconds_before"] = "\(old.freshSeconds)"
        }
        if old.privateAllowed != offer.privateAllowed { detail["allow_private"] = "\(offer.privateAllowed)" }
        compare("include", old.filter.include, offer.filter.include)
        compare("exclude", old.filter.exclude, offer.filter.exclude)
        compare("also_hosts", old.alsoHosts, offer.alsoHosts)
    }

    /// - Parameter move: nil, or one that leads nowhere, says nothing.
    mutating func add(_ move: UpstreamOrder.Move?) {
        guard let move, move.from != move.to else { return }
        detail["position"] = "\(move.to)"
        detail["position_before"] = "\(move.from)"
    }

    mutating func addCredential(_ word: CredentialWord) { detail["credential"] = word.rawValue }

    /// What became of a credential.
    enum CredentialWord: String { case set, removed }

    private mutating func compare<Item: Equatable & CustomStringConvertible>(
        _ name: String, _ old: [Item], _ new: [Item]
    ) {
        detail[name + "_added"] = Self.listed(new.filter { !old.contains($0) })
        detail[name + "_removed"] = Self.listed(old.filter { !new.contains($0) })
    }

    /// - Returns: nil for none.
    private static func listed(_ items: [some CustomStringConvertible]) -> String? {
        guard !items.isEmpty else { return nil }
        let text = items.prefix(listedMax).map(\.description).joined(separator: ",")
        return items.count > listedMax ? text + " and \(items.count - listedMax) more" : text
    }
}
