import Crypto
import EdgeCache
import EdgeHTTP
import FoundationEssentials
import NIOCore
import Registry

/// One repository as this edge serves it.
final class RepositoryFacts: Sendable {
    let name: RepositoryName
    let isPrivate: Bool
    let offline: OfflineRule
    /// `config.json` with the edge's public address in `dl`.
    let config: RenderedAnswer
    private let loginURL: String

    init?(_ entry: RepositoryList.Entry, publicURL: String, responses: Responses) {
        guard let name = try? RepositoryName(entry.name) else { return nil }
        self.name = name
        isPrivate = entry.isPrivate
        loginURL = entry.loginURL
        offline =
            entry.offline == "serve-stale" ? .serveStale(atMost: .seconds(max(0, entry.offlineSecondsMax))) : .refuse
        let file = ConfigFile(
            downloads: "\(publicURL)/\(name)/crates", api: entry.api, authRequired: entry.isPrivate)
        let body = ByteBuffer(string: file.json)
        let hash = SHA256.hash(data: Array(body.readableBytesView)).prefix(16)
        let tag = "\"c-" + hash.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined() + "\""
        let reach = entry.isPrivate ? "private" : "public"
        config = RenderedAnswer(
            status: 200,
            headers: [
                (name: "content-type", value: "application/json"), ("cache-control", "\(reach), max-age=0"),
                ("etag", tag),
            ] + responses.common(.hit),
            body: body)
    }

    func config(_ cache: CacheState, _ responses: Responses) -> RenderedAnswer {
        guard cache != .hit else { return config }
        let own = config.headers.filter { $0.name != "x-cache" && $0.name != "x-served-by" }
        return RenderedAnswer(status: 200, headers: own + responses.common(cache), body: config.body)
    }

    /// The 401 that makes cargo ask for a token.
    func challenge(_ text: String, _ responses: Responses) -> RenderedAnswer {
        responses.refusal(401, text, [("www-authenticate", "Cargo login_url=\"\(loginURL)\"")])
    }
}

/// All repositories that this edge serves, found by the bytes of a path.
final class RepositoryTable: Sendable {
    let list: RepositoryList
    private let facts: [ByteBuffer: RepositoryFacts]
    /// The same as long as there are few: comparing them is faster than a table then.
    private let few: [(name: [UInt8], facts: RepositoryFacts)]

    private static let fewMax = 4

    init(_ list: RepositoryList, publicURL: String, responses: Responses) {
        self.list = list
        facts = list.repositories.reduce(into: [:]) { facts, entry in
            guard let repository = RepositoryFacts(entry, publicURL: publicURL, responses: responses) else { return }
            facts[ByteBuffer(string: entry.name)] = repository
        }
        few = facts.count <= Self.fewMax ? facts.map { (Array($0.key.readableBytesView), $0.value) } : []
    }

    subscript(name: ByteBuffer) -> RepositoryFacts? {
        few.isEmpty ? facts[name] : name.withUnsafeReadableBytes(facts(of:))
    }

    /// The same by the name's bytes wherever they lie.
    func facts(of name: UnsafeRawBufferPointer) -> RepositoryFacts? {
        few.isEmpty ? facts[ByteBuffer(bytes: name)] : few.first { name.elementsEqual($0.name) }?.facts
    }

    func value() throws -> CachedValue {
        CachedValue(payload: self, body: ByteBuffer(bytes: try JSONEncoder().encode(list)))
    }
}
