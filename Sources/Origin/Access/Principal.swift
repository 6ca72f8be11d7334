package import Registry

/// Who asks, and with which rights.
package enum Principal: Hashable, Sendable {
    /// No credential came with the request.
    case anonymous
    /// A credential came that is none of ours, or no longer one.
    case rejected(Rejection)
    case token(TokenHolder)
    case edge(EdgeHolder)

    /// Why a credential is not accepted.
    package enum Rejection: Hashable, Sendable {
        /// Not of the shape that we hand out: a typing error, or another registry's token.
        case malformed
        /// `Authorization` with a scheme that nobody here speaks.
        case unknownScheme(String)
        case unknown
        case expired
        case revoked
    }
}

/// A user's token as one request carries it.
package struct TokenHolder: Hashable, Sendable {
    /// The token's id, never its secret. Its decimal text is the `subject` of events and introspection.
    package let tokenID: Int64
    /// What the token is called by its owner.
    package let tokenName: String
    /// Below 2^32, as cargo wants ids of owners.
    package let userID: Int32
    package let login: String
    package let grants: [Grant]
    /// Seconds since 1970; nil for a token without an end.
    package let expires: Int?

    package init(tokenID: Int64, tokenName: String, userID: Int32, login: String, grants: [Grant], expires: Int?) {
        self.tokenID = tokenID
        self.tokenName = tokenName
        self.userID = userID
        self.login = login
        self.grants = grants
        self.expires = expires
    }

    package var subject: String { String(tokenID) }
}

/// An edge's join credential as one request carries it.
package struct EdgeHolder: Hashable, Sendable {
    package let edgeID: Int64
    package let name: String

    package init(edgeID: Int64, name: String) {
        self.edgeID = edgeID
        self.name = name
    }
}

extension Principal {
    /// The token behind the request, for whoever needs its user.
    ///
    /// - Throws: 401 for anonymous and rejected credentials, 403 for an edge's.
    package func requireToken() throws(Refusal) -> TokenHolder {
        switch self {
        case .token(let holder): return holder
        case .anonymous: throw Permission.missingToken.refusal
        case .rejected(let why): throw Permission.rejected(why).refusal
        case .edge: throw Permission.edgeCredential.refusal
        }
    }

    /// Lets pass who may do `action`; the action always needs a token, whatever the repository's visibility.
    ///
    /// - Parameter crate: nil asks about the repository itself.
    /// - Returns: the token that allows it.
    /// - Throws: 401 or 403 with the reason and the next step.
    @discardableResult
    package func require(
        _ action: Action, in repository: RepositoryName, of crate: CrateName?
    ) throws(Refusal) -> TokenHolder {
        let verdict = Permission.verdict(self, action, in: repository, isPublic: false, of: crate)
        guard verdict == .allowed else { throw verdict.refusal }
        return try requireToken()
    }

    /// Lets pass who may read: anyone in a public repository, holders of a `read` grant in a private one.
    ///
    /// - Throws: 401 or 403 with the reason and the next step.
    package func requireRead(_ repository: Repository, of crate: CrateName?) throws(Refusal) {
        let verdict = Permission.verdict(self, .read, in: repository.name, isPublic: !repository.isPrivate, of: crate)
        guard verdict == .allowed else { throw verdict.refusal }
    }

    /// Lets pass who may administer the repository; nil asks for the right over every repository.
    @discardableResult
    package func requireAdmin(_ repository: RepositoryName?) throws(Refusal) -> TokenHolder {
        let verdict = Permission.adminVerdict(self, of: repository)
        guard verdict == .allowed else { throw verdict.refusal }
        return try requireToken()
    }

    /// Lets pass edges only.
    package func requireEdge() throws(Refusal) -> EdgeHolder {
        guard case .edge(let holder) = self else { throw Permission.edgeVerdict(self).refusal }
        return holder
    }
}
