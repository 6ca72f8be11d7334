package import Hummingbird
import HTTPTypes
import NIOCore
import Registry

/// `/{repository}/index/{path}` for cargo, `/edge/v1/index/{repository}/{path}` for edges: the index file of one crate.
///
/// | situation                              | answer                                          | case    |
/// |----------------------------------------|-------------------------------------------------|---------|
/// | there is such a crate                  | 200, `ETag`, `text/plain`                       | A4      |
/// | `If-None-Match` has the current tag    | 304                                             | A5, A7, A8 |
/// | `If-None-Match: *`                     | 304                                             | A8      |
/// | no such crate, or another spelling     | 404 text, `no-store`                            | A11, A16 |
/// | path is not canonical                  | 404                                             | A13     |
/// | `HEAD`                                 | the headers of `GET`                            | A17     |
/// | private, no token or a bad one         | 401 with a challenge                            | D1, D5  |
/// | private, token without the right       | 403                                             | D4      |
/// | nothing is held, no upstream can tell  | 503, `retry-after`                              | I11     |
/// | slow readers hold too much in memory   | 503, `retry-after: 1`                           | I9      |
///
/// Edges get `longshore-position` with every answer, 404 included.
package struct IndexRoute: Sendable {
    let repositories: RepositoryStore
    let store: IndexStore
    let budget: ByteBudget
    let reads: OwnReads
    let upstreams: UpstreamDesk

    package init(
        repositories: RepositoryStore, store: IndexStore, budget: ByteBudget, reads: OwnReads, upstreams: UpstreamDesk
    ) {
        self.upstreams = upstreams
        self.reads = reads
        self.repositories = repositories
        self.store = store
        self.budget = budget
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/:repository/index/**", method: method) { request, context in
                try await forCargo(request, context)
            }
            router.on("/edge/v1/index/:repository/**", method: method) { request, context in
                try await forEdge(request, context)
            }
        }
    }

    private func forCargo(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        guard let path = IndexPath(parsing: request.path(after: "/\(repository.name)/index/")) else {
            try context.principal.requireRead(repository, of: nil)
            throw Refusal.notFound("no index file has this path")
        }
        let crate = try CrateName(path.name)
        try context.principal.requireRead(repository, of: crate)
        var response = try await read(path, in: repository, request).response
        response.headers[.cacheControl] = repository.isPrivate ? "private, no-cache" : "no-cache"
        if response.status == .notFound { response.headers[.cacheControl] = "no-store" }
        guard request.method != .head else { return response.createHeadResponse() }
        if response.status != .notFound { await reads.index(of: crate, in: repository.name) }
        return response
    }

    private func forEdge(_ request: Request, _ context: OriginContext) async throws -> Response {
        _ = try context.principal.requireEdge()
        guard let text = context.parameters.get("repository"), let name = try? RepositoryName(text),
            let path = IndexPath(parsing: request.path(after: EdgeWire.indexPrefix + "\(name)/"))
        else { throw Refusal.notFound("no index file has this path") }
        // Without a position: the edge learns of a deleted repository through the feed, not through a file.
        let repository = try await repositories.require(name)
        let (response, position) = try await read(path, in: repository, request)
        var answer = response
        answer.headers[EdgeWire.positionField] = "\(position)"
        return request.method == .head ? answer.createHeadResponse() : answer
    }

    private func read(
        _ path: IndexPath, in repository: Repository, _ request: Request
    ) async throws -> (response: Response, position: UInt64) {
        if let name = try? CrateName(path.name) { try await upstreams.prepare(name, in: repository) }
        let condition = request.headers[values: .ifNoneMatch].joined(separator: ",")
        let isAny = condition == "*"
        let snapshot = try await store.file(path, in: repository, known: isAny ? [] : EntityTag.list(condition))
        let response =
            switch snapshot.content {
            case .absent:
                RefusalForm.text.response(
                    .notFound("repository `\(repository.name)` has no crate `\(path.name)`"))
            case .unchanged(let tag): Response(status: .notModified, headers: [.eTag: "\(tag)"])
            case .file(let tag, _) where isAny: Response(status: .notModified, headers: [.eTag: "\(tag)"])
            case .file(let tag, let text):
                Response(
                    status: .ok, headers: [.eTag: "\(tag)", .contentType: "text/plain; charset=utf-8"],
                    body: try body(text))
            }
        return (response, snapshot.position)
    }
}

extension IndexRoute {
    /// In pieces, because a piece is taken only when the one before has left: that is what a slow reader is known by.
    private func body(_ text: String) throws -> ResponseBody {
        let bytes = ByteBuffer(string: text)
        let reservation = try budget.reserve(bytes.readableBytes)
        return ResponseBody(contentLength: bytes.readableBytes) { writer in
            var rest = bytes
            while rest.readableBytes > 0, let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)) {
                try await writer.write(piece)
            }
            try await writer.finish(nil)
            withExtendedLifetime(reservation) {}
        }
    }

    private static let pieceBytes = 64 << 10
}

extension EdgeWire {
    static let positionField: HTTPField.Name = {
        guard let name = HTTPField.Name(positionHeader) else { preconditionFailure("the constant is a field name") }
        return name
    }()
}

extension Request {
    /// What follows `prefix` in the path as it was sent, nothing decoded; empty if the path begins otherwise.
    func path(after prefix: String) -> Substring {
        let path = uri.path
        return path.hasPrefix(prefix) ? path[path.index(path.startIndex, offsetBy: prefix.count)...] : ""
    }
}
