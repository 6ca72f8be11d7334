package import Registry

/// The absolute addresses that clients are told, all from configuration and never from a request's `Host`.
///
/// `public` may have a path (`https://forge.example/crates`): a reverse proxy then strips it, since the origin
/// itself always serves at its root.
package struct PublicAddresses: Hashable, Sendable {
    /// Without a final slash.
    package let base: String
    /// Base of downloads, without a final slash; the same as `base` unless a host of its own serves them.
    package let downloads: String

    /// Other bases under which the same repositories are used, such as edges' public addresses.
    package let aliases: [String]
    /// Whether downloads go through `/dl/…`, which redirects to the nearest edge.
    package let redirectsDownloads: Bool

    package init(
        base: String, downloads: String? = nil, aliases: [String] = [], redirectsDownloads: Bool = false
    ) {
        self.redirectsDownloads = redirectsDownloads
        self.base = base.withoutFinalSlashes
        self.downloads = (downloads ?? base).withoutFinalSlashes
        self.aliases = aliases.map(\.withoutFinalSlashes)
    }

    /// `api` in `config.json`; cargo appends `/api/v1/…`.
    package func api(_ repository: RepositoryName) -> String { "\(base)/\(repository)" }

    /// What stands behind `sparse+` in a cargo configuration, with its final slash.
    package func index(_ repository: RepositoryName) -> String { "\(base)/\(repository)/index/" }

    /// How a manifest may name this very repository: by each base, with and without `sparse+`.
    package func ownIndexURLs(_ repository: RepositoryName) -> Set<String> {
        let plain = [index(repository)] + aliases.map { "\($0)/\(repository)/index/" }
        return Set(plain + plain.map { "sparse+" + $0 })
    }

    /// `dl` in `config.json`, for `ConfigFile`.
    package func downloads(_ repository: RepositoryName) -> ConfigFile.Downloads {
        redirectsDownloads
            ? .byVersion(base: "\(downloads)/\(repository)/dl") : .byChecksum(base: "\(downloads)/\(repository)/crates")
    }

    /// Where a person gets a token.
    package func login(_ repository: RepositoryName) -> String { "\(base)/\(repository)/me" }

    /// The `config.json` of a repository, from the configured addresses alone.
    package func config(_ repository: Repository) -> ConfigFile {
        ConfigFile(
            downloads: downloads(repository.name), api: api(repository.name), authRequired: repository.isPrivate)
    }

    /// The challenge that goes with a 401: `Cargo login_url="https://…/main/me"`.
    func challenge(forPath path: String) -> String {
        let first = path.split(separator: "/", maxSplits: 1).first.map(String.init) ?? ""
        guard let repository = try? RepositoryName(first) else { return "Cargo login_url=\"\(base)/me\"" }
        return "Cargo login_url=\"\(login(repository))\""
    }
}

extension String {
    fileprivate var withoutFinalSlashes: String {
        var text = self[...]
        while text.last == "/" { text.removeLast() }
        return String(text)
    }
}
