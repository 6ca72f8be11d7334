import FoundationEssentials

/// What the canonical addresses say of a repository and its edges.
struct EdgeDirectory: Sendable {
    /// More edges than any registry of ours has; the list comes from outside.
    static let edgesMax = 256

    /// One edge, as `{api}/edges` lists it.
    struct Edge: Hashable, Sendable, Codable {
        let name: String
        let region: String
        let url: String
        /// Does it hold the origin's feed open?
        let connected: Bool
        /// Positions of the feed that it has not applied yet; nil if the origin doesn't know.
        let behind: UInt64?
    }

    private struct Page: Decodable {
        let index: String
        let edges: [Edge]
    }

    /// What `config.json` says, as far as this program looks at it.
    struct Config: Decodable, Hashable, Sendable {
        let dl: String
        let api: String?
        let authRequired: Bool?

        enum CodingKeys: String, CodingKey {
            case dl, api
            case authRequired = "auth-required"
        }

        init?(_ json: String) {
            guard let config = try? JSONDecoder().decode(Config.self, from: Data(json.utf8)) else { return nil }
            self = config
        }
    }

    let address: RepositoryAddress
    /// Base of the web API: edges must name the same one.
    let api: String
    let isPrivate: Bool
    let edges: [Edge]

    /// Asks the canonical index for `config.json`, and its API for the edges.
    ///
    /// - Throws: `BenchFailure` with the next step.
    static func read(_ address: RepositoryAddress, token: CargoToken?, web: Web) async throws -> EdgeDirectory {
        let (config, isPrivate) = try await config(address, token: token, web: web)
        guard let api = config.api, WebBase(api) != nil else {
            throw BenchFailure("\(address.url)config.json names no usable `api`; is it a Longshore repository?")
        }
        let list = api + "/edges"
        let page = try await web.get(list, token: isPrivate ? token?.secret : nil)
        guard page.status == 200, let found = try? JSONDecoder().decode(Page.self, from: Data(page.text.utf8)) else {
            throw BenchFailure(
                "\(list) lists no edges (status \(page.status)): the origin is older than this program, or something "
                    + "stands between")
        }
        guard found.edges.count <= edgesMax else {
            throw BenchFailure("\(list) lists \(found.edges.count) edges; \(edgesMax) is the most that are measured")
        }
        guard found.index == address.description else {
            throw BenchFailure(
                "this repository calls itself \(found.index), and only that name keeps lock files the same "
                    + "everywhere: use it in cargo's configuration and here")
        }
        return EdgeDirectory(address: address, api: api, isPrivate: isPrivate, edges: found.edges)
    }

    private static func config(
        _ address: RepositoryAddress, token: CargoToken?, web: Web
    ) async throws -> (Config, isPrivate: Bool) {
        let url = address.url + "config.json"
        // Anonymous first, as cargo does: a public repository needs no secret.
        var page = try await web.get(url)
        let isPrivate = page.status == 401
        if isPrivate {
            guard let token else {
                throw BenchFailure(
                    "\(address) is private: give --token-file, set \(CargoToken.variable("NAME")) and --registry NAME, "
                        + "or run `cargo login --registry NAME`")
            }
            page = try await web.get(url, token: token.secret)
        }
        guard page.status == 200 else {
            let said = page.text.prefix(200).split(separator: "\n").first ?? ""
            throw BenchFailure("\(url) answers \(page.status) \(said); check the address and the token")
        }
        guard let config = Config(page.text) else {
            throw BenchFailure("\(url) is no config.json of a registry; check the address")
        }
        return (config, isPrivate || config.authRequired == true)
    }
}
