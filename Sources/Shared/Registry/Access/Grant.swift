/// What a token may do. The raw value stands in the database, on the command line and on the wire.
package enum Action: String, Hashable, Sendable, CaseIterable, Codable {
    case read
    case publishNew = "publish-new"
    case publishUpdate = "publish-update"
    case yank
    case owners
    case admin
}

/// Which crates a grant speaks of: `*`, an exact name, or a prefix with a final `*`.
///
/// Names are compared as identities, so `foo-bar` covers `foo_bar`.
package struct CratePattern: Hashable, Sendable, CustomStringConvertible {
    package static let everything = CratePattern(prefix: "", isExact: false)

    private let prefix: String
    private let isExact: Bool

    private init(prefix: String, isExact: Bool) {
        self.prefix = prefix
        self.isExact = isExact
    }

    /// - Returns: nil for text that can't match any crate name.
    package init?(_ text: String) {
        if text == "*" {
            self = .everything
            return
        }
        let isExact = !text.hasSuffix("*")
        guard let name = try? CrateName(isExact ? text : String(text.dropLast())) else { return nil }
        self.init(prefix: name.identity, isExact: isExact)
    }

    /// Whether the pattern fits the crate, however its name is spelled.
    package func covers(_ crate: CrateName) -> Bool {
        isExact ? crate.identity == prefix : crate.identity.hasPrefix(prefix)
    }

    package var description: String { isExact ? prefix : prefix + "*" }
}

/// Actions × repositories × crates: one line of what a token allows.
package struct Grant: Hashable, Sendable {
    package let actions: Set<Action>
    /// Nil means every repository, those of tomorrow too; written `*`.
    package let repositories: Set<RepositoryName>?
    package let crates: [CratePattern]

    package init(actions: Set<Action>, repositories: Set<RepositoryName>?, crates: [CratePattern] = [.everything]) {
        self.actions = actions
        self.repositories = repositories
        self.crates = crates
    }

    /// - Parameter crate: nil asks about the repository itself (its `config.json`, its search).
    package func allows(_ action: Action, in repository: RepositoryName, of crate: CrateName?) -> Bool {
        guard actions.contains(action) || actions.contains(.admin) else { return false }
        guard repositories?.contains(repository) ?? true else { return false }
        guard let crate else { return true }
        return crates.contains { $0.covers(crate) }
    }
}

extension Grant: Codable {
    private enum Key: String, CodingKey { case actions, repositories, crates }

    /// Shape: `{"actions":["read"],"repositories":["main"],"crates":["*"]}`; `["*"]` is every repository.
    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: Key.self)
        let names = try box.decode([String].self, forKey: .repositories)
        let patterns = try box.decode([String].self, forKey: .crates)
        self.init(
            actions: try box.decode(Set<Action>.self, forKey: .actions),
            repositories: names == ["*"] ? nil : Set(try names.map { try RepositoryName($0) }),
            crates: try patterns.map { text in
                guard let pattern = CratePattern(text) else {
                    throw DecodingError.dataCorruptedError(
                        forKey: .crates, in: box, debugDescription: "`\(text)` is no crate pattern")
                }
                return pattern
            })
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        try box.encode(actions.sorted { $0.rawValue < $1.rawValue }, forKey: .actions)
        try box.encode(repositories.map { $0.map(\.description).sorted() } ?? ["*"], forKey: .repositories)
        try box.encode(crates.map(\.description), forKey: .crates)
    }
}
