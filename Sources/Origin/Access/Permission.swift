package import Registry

/// May this principal do that? Pure; every refusal says what was missing and how to get it.
///
/// | principal                                  | public read | anything else                            |
/// |--------------------------------------------|-------------|------------------------------------------|
/// | anonymous                                  | allowed     | 401                                      |
/// | malformed, unknown, expired, revoked       | allowed     | 401                                      |
/// | a token whose grants do not cover it       | allowed     | 403                                      |
/// | a token whose grants cover it              | allowed     | allowed                                  |
/// | an edge                                    | 403         | 403 (and the other way round at `/edge`) |
///
/// 401 says "your token", 403 says "your rights"; cargo shows the text of both, and only 401 makes it log in.
/// Source: docs/PROTOCOL.md, "Authentication" and D1-D17.
package enum Permission: Hashable, Sendable {
    case allowed
    case missingToken
    case rejected(Principal.Rejection)
    /// The token is fine, its grants are not.
    case missingGrant(login: String, Action, RepositoryName?, CrateName?)
    /// An edge's credential where a user's token belongs.
    case edgeCredential
    /// A user's token where an edge's credential belongs.
    case notAnEdge

    /// Whether `principal` may do `action` there; the reason if not.
    package static func verdict(
        _ principal: Principal, _ action: Action, in repository: RepositoryName, isPublic: Bool, of crate: CrateName?
    ) -> Permission {
        switch principal {
        case .edge: return .edgeCredential
        case _ where action == .read && isPublic: return .allowed
        case .anonymous: return .missingToken
        case .rejected(let why): return .rejected(why)
        case .token(let holder):
            let isCovered = holder.grants.contains { $0.allows(action, in: repository, of: crate) }
            return isCovered ? .allowed : .missingGrant(login: holder.login, action, repository, crate)
        }
    }

    /// Administration of one repository, or of all (`repository` nil). A grant that names crates does not reach so far.
    package static func adminVerdict(_ principal: Principal, of repository: RepositoryName?) -> Permission {
        switch principal {
        case .edge: return .edgeCredential
        case .anonymous: return .missingToken
        case .rejected(let why): return .rejected(why)
        case .token(let holder):
            let isCovered = holder.grants.contains { grant in
                guard grant.actions.contains(.admin), grant.crates.contains(.everything) else { return false }
                guard let covered = grant.repositories else { return true }
                return repository.map(covered.contains) ?? false
            }
            return isCovered ? .allowed : .missingGrant(login: holder.login, .admin, repository, nil)
        }
    }

    /// Whether `principal` may use the edges' own routes.
    package static func edgeVerdict(_ principal: Principal) -> Permission {
        switch principal {
        case .edge: .allowed
        case .anonymous: .missingToken
        case .rejected(let why): .rejected(why)
        case .token: .notAnEdge
        }
    }
}
