package import Registry

/// A token that somebody asks for; `TokenStore.create` makes it.
package struct TokenRequest: Hashable, Sendable {
    package static let grantsMax = 32
    package static let nameBytesMax = 100
    package static let secondsMax = 10 * 366 * 86_400

    package let login: String
    /// What its owner calls it: `ci of team x`.
    package let name: String
    package let grants: [Grant]
    /// Nil for a token without an end.
    package let secondsToLive: Int?

    /// - Throws: 400 with the first rule that the request breaks.
    package init(login: String, name: String, grants: [Grant], secondsToLive: Int?) throws(Refusal) {
        guard Self.isLogin(login) else {
            throw .badRequest("`\(login)` is no login: use 1 to 64 letters, digits, `-`, `_`, `.`, `@` or `+`")
        }
        guard (1...Self.nameBytesMax).contains(name.utf8.count), !name.utf8.contains(where: { $0 < 32 }) else {
            throw .badRequest("a token needs a name of 1 to \(Self.nameBytesMax) bytes, so that you know it again")
        }
        guard (1...Self.grantsMax).contains(grants.count), grants.allSatisfy(\.isUseful) else {
            throw .badRequest(
                "a token needs 1 to \(Self.grantsMax) grants, each with at least one action, repository and crate pattern"
            )
        }
        if let secondsToLive, !(1...Self.secondsMax).contains(secondsToLive) {
            throw .badRequest("a token may live from 1 second to \(Self.secondsMax) seconds, not \(secondsToLive)")
        }
        self.login = login
        self.name = name
        self.grants = grants
        self.secondsToLive = secondsToLive
    }

    private static func isLogin(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.isASCII
                    && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.@+".unicodeScalars.contains($0))
            }
    }
}

extension TokenRequest {
    /// A token may make only tokens whose rights and life lie within what it administers itself.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Throws: 403 that names the part that goes too far.
    package func checkWithin(_ holder: TokenHolder, now: Int) throws(Refusal) {
        let own = holder.grants.filter { $0.actions.contains(.admin) }
        guard !own.isEmpty else { throw Permission.missingGrant(login: holder.login, .admin, nil, nil).refusal }
        if let beyond = grants.first(where: { !$0.isWithin(own) }) {
            throw .forbidden(
                "a token can't make one with more rights than its own: \(beyond.summary) goes beyond what the token of "
                    + "`\(holder.login)` administers")
        }
        guard let end = holder.expires else { return }
        guard let secondsToLive, now + secondsToLive <= end else {
            throw .forbidden(
                "a token can't make one that outlives it: give an end at most \(max(0, end - now)) seconds from now")
        }
    }
}

extension Grant {
    fileprivate var isUseful: Bool {
        !actions.isEmpty && !crates.isEmpty && crates.count <= 100 && repositories?.isEmpty != true
            && (repositories?.count ?? 0) <= 100
    }

    /// Is every single right of this grant covered by one of `others`?
    func isWithin(_ others: [Grant]) -> Bool {
        let places: [RepositoryName?] = repositories.map { $0.map { $0 } } ?? [nil]
        return actions.allSatisfy { action in
            places.allSatisfy { place in
                crates.allSatisfy { pattern in
                    others.contains { $0.covers(action, in: place, of: pattern) }
                }
            }
        }
    }

    private func covers(_ action: Action, in repository: RepositoryName?, of pattern: CratePattern) -> Bool {
        guard actions.contains(action) || actions.contains(.admin) else { return false }
        if let repositories {
            guard let repository, repositories.contains(repository) else { return false }
        }
        return crates.contains { $0.covers(pattern) }
    }

    /// `read, yank in main for foo*`, for messages and listings.
    package var summary: String {
        let acts = Action.allCases.filter(actions.contains).map(\.rawValue).joined(separator: ", ")
        let places = repositories.map { $0.map(\.description).sorted().joined(separator: ", ") } ?? "every repository"
        let names = crates.contains(.everything) ? "" : " for " + crates.map(\.description).joined(separator: ", ")
        return "\(acts) in \(places)\(names)"
    }
}

extension CratePattern {
    /// Does this pattern match every name that `other` matches? Both are spelled as identities.
    func covers(_ other: CratePattern) -> Bool {
        let mine = description
        guard mine.hasSuffix("*") else { return self == other }
        return other.description.hasPrefix(mine.dropLast())
    }
}
