/// Who changes something, as the audit log names them.
package struct Actor: Hashable, Sendable {
    /// A login, `command line`, `key rotation`, `the origin`, `advisory schedule` or `edge NAME`. All but the first hold a
    /// space, which no login can.
    package let name: String
    package let tokenID: Int64?

    package static let commandLine = Actor(name: "command line", tokenID: nil)
    /// The origin itself, when a signing key's time has come.
    package static let rotation = Actor(name: "key rotation", tokenID: nil)

    /// The origin itself, when it makes a key for checkpoints, or sums up what it saw.
    package static let origin = Actor(name: "the origin", tokenID: nil)

    /// The origin itself, when it takes over the advisory database.
    package static let advisories = Actor(name: "advisory schedule", tokenID: nil)

    /// The origin itself, when rules decide on a version.
    package static let policy = Actor(name: "the policy", tokenID: nil)

    /// Whether the name in a line is that of a login: all others hold a space.
    static func isLogin(_ name: String) -> Bool { !name.contains(" ") }

    package init(_ holder: TokenHolder) { self.init(name: holder.login, tokenID: holder.tokenID) }

    private init(name: String, tokenID: Int64?) {
        self.name = name
        self.tokenID = tokenID
    }
}
