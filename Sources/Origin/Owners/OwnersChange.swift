import Registry

/// What a request wants to do to a crate's owners. Pure.
enum OwnersChange: Equatable {
    case add([String])
    case remove([String])

    static let loginsMax = 10

    var logins: [String] {
        switch self {
        case .add(let logins), .remove(let logins): logins
        }
    }

    /// The word in the audit log.
    var action: String {
        switch self {
        case .add: "owner.add"
        case .remove: "owner.remove"
        }
    }

    /// What cargo prints; it fails without it, on removal too (H7).
    func message(crate: String) -> String {
        let who = logins.map { "`\($0)`" }.joined(separator: ", ")
        return switch self {
        case .add: "\(who) can now publish `\(crate)`"
        case .remove: "\(who) can no longer publish `\(crate)`"
        }
    }

    /// - Throws: for no login, too many, or one that can't be stored.
    static func check(_ logins: [String]) throws(Refusal) {
        guard !logins.isEmpty else {
            throw .badRequest("`users` names nobody: send {\"users\":[\"login\"]}")
        }
        guard logins.count <= loginsMax else {
            throw .badRequest("too many users in one request: at most \(loginsMax), so split them up")
        }
    }

    /// - Throws: if somebody who is to go is no owner, or nobody would be left (H8).
    static func check(removing logins: [String], from owners: [String]) throws(Refusal) {
        if let stranger = logins.first(where: { !owners.contains($0) }) {
            throw .badRequest("could not find owner with login `\(stranger)`; `cargo owner --list` names the owners")
        }
        guard !Set(owners).subtracting(logins).isEmpty else {
            throw .badRequest("cannot remove all individual owners of a crate; add another owner first")
        }
    }

    static func unknown(_ login: String) -> Refusal {
        .badRequest(
            "could not find user with login `\(login)`: only users who have a token of this registry can own crates; "
                + "an administrator makes one with `longshore-origin token create`")
    }
}

extension Principal {
    /// Administrators may settle ownership and yank where no owner is left to do it.
    func isAdmin(of repository: RepositoryName) -> Bool {
        Permission.adminVerdict(self, of: repository) == .allowed
    }
}
