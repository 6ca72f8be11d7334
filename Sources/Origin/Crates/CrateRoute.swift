package import Hummingbird
import NIOCore
import Registry

/// The bytes of one version, from the blob store in bounded memory.
///
/// `/{repository}/crates/{name}/{version}/{sha256}.crate` and `/{repository}/dl/{name}/{version}/download` for cargo,
/// `/edge/v1/crates/{repository}/{name}/{version}/{sha256}.crate` for edges.
///
/// | situation                                   | answer                                                | case |
/// |---------------------------------------------|-------------------------------------------------------|------|
/// | there is such a version                     | 200 `application/gzip`, no encoding, immutable        | C1, C13 |
/// | `/dl/…`, and an edge is connected           | 307 to a signed URL of the nearest one, `no-store`    | D7   |
/// | `HEAD`                                      | the headers of `GET`                                  |      |
/// | unknown version, other spelling, other hash | 404 text                                              | C4, I7 |
/// | private, no token or a bad one              | 401 with a challenge                                  | D7   |
/// | policy blocks or quarantines the version    | 403 text: the rule, why, whom to ask                  | C5, I6 |
/// | an upstream's file can't be fetched now     | 503, `retry-after`                                    | I11  |
/// | the blob is missing: damage                 | 500 text, logged                                      | I1   |
package struct CrateRoute: Sendable {
    let repositories: RepositoryStore
    let store: CrateStore
    let blobs: any BlobStore
    let reads: OwnReads
    let upstreams: UpstreamDesk
    /// Nil: no download is sent elsewhere.
    let links: DownloadLinks?

    package init(
        repositories: RepositoryStore, store: CrateStore, blobs: any BlobStore, reads: OwnReads,
        upstreams: UpstreamDesk, links: DownloadLinks? = nil
    ) {
        self.reads = reads
        self.upstreams = upstreams
        self.repositories = repositories
        self.store = store
        self.blobs = blobs
        self.links = links
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/:repository/crates/:name/:version/:file", method: method) { request, context in
                try await byHash(request, context)
            }
            router.on("/:repository/dl/:name/:version/download", method: method) { request, context in
                try await byVersion(request, context)
            }
            router.on("/edge/v1/crates/:repository/:name/:version/:file", method: method) { request, context in
                try await forEdge(request, context)
            }
        }
    }

    private func byHash(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        guard let path = CratePath(parsing: request.path(after: "/\(repository.name)/crates/")) else {
            try context.principal.requireRead(repository, of: nil)
            throw Refusal.notFound("no crate file has this path")
        }
        try context.principal.requireRead(repository, of: path.name)
        let (found, _) = try await store.find(path.name, path.version, path.checksum, in: repository)
        return try await answer(
            found, path.name, path.version, in: repository, request, lifetime: Self.forever, to: context.principal)
    }

    private func byVersion(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let name = try CrateName(context.parameters.require("name"))
        let version = try Version(context.parameters.require("version").decodingPlus)
        try context.principal.requireRead(repository, of: name)
        let (found, _) = try await store.find(name, version, nil, in: repository)
        if let links, let found, found.refusal == nil {
            let file = DownloadLinks.File(
                repository: repository,
                path: CratePath(name: name, version: version, checksum: found.checksum))
            let client = ClientPlace(request, context)
            if let place = try await links.place(of: file, for: context.principal, at: client) {
                // Each try gets a new signature, so nobody may keep this answer.
                return Response(
                    status: .temporaryRedirect,
                    headers: [.location: place, .cacheControl: "no-store", .contentLength: "0"])
            }
        }
        return try await answer(
            found, name, version, in: repository, request, lifetime: "no-cache", to: context.principal)
    }

    private func forEdge(_ request: Request, _ context: OriginContext) async throws -> Response {
        _ = try context.principal.requireEdge()
        guard let text = context.parameters.get("repository"), let name = try? RepositoryName(text),
            let path = CratePath(parsing: request.path(after: EdgeWire.cratesPrefix + "\(name)/"))
        else { throw Refusal.notFound("no crate file has this path") }
        let repository = try await repositories.require(name)
        let (found, position) = try await store.find(path.name, path.version, path.checksum, in: repository)
        do {
            var response = try await answer(
                found, path.name, path.version, in: repository, request, lifetime: Self.forever, to: nil)
            response.headers[EdgeWire.positionField] = "\(position)"
            return response
        } catch let refusal as Refusal where refusal.status == .notFound || refusal.status == .forbidden {
            var headers: HTTPFields = [EdgeWire.positionField: "\(position)"]
            headers[.longshoreRule] = refusal.withheld?.rule
            throw Refusal(refusal.status, refusal.detail, headers: headers, withheld: refusal.withheld)
        }
    }

    /// An upstream's version is fetched when it is first asked for, unless policy forbids it already.
    private func fetched(
        _ found: CrateStore.Found?, _ name: CrateName, _ version: Version, in repository: Repository
    ) async throws -> CrateStore.Found? {
        guard let found, found.bytes == 0, found.refusal == nil else { return found }
        try await upstreams.bring(name, version, found.checksum, in: repository, to: blobs)
        return try await store.find(name, version, found.checksum, in: repository).found
    }

    private static let forever = "max-age=31536000, immutable"

    /// - Parameter reader: who is counted; nil for an edge, which counts its own readers.
    private func answer(
        _ found: CrateStore.Found?, _ name: CrateName, _ version: Version, in repository: Repository,
        _ request: Request, lifetime: String, to reader: Principal?
    ) async throws -> Response {
        guard let found = try await fetched(found, name, version, in: repository) else {
            throw Refusal.notFound("repository `\(repository.name)` has no crate `\(name.spelling)` \(version) here")
        }
        if let refusal = found.refusal {
            throw Refusal(
                .forbidden, refusal, withheld: Refusal.Withheld(crate: name, version: version, rule: found.rule))
        }
        let headers: HTTPFields = [
            .contentType: "application/gzip", .contentLength: "\(found.bytes)",
            .cacheControl: (repository.isPrivate ? "private, " : "public, ") + lifetime,
        ]
        if request.method == .head { return Response(status: .ok, headers: headers) }
        guard let file = try await blobs.open(found.checksum), file.bytes == found.bytes else {
            throw Refusal(
                .internalServerError,
                "the file of `\(name.spelling)` \(version) is missing in the registry's store; tell its operator to run "
                    + "`longshore-origin verify`")
        }
        // Known here only: the body is written when the request is over.
        let address = RequestSource.current.address
        let body = ResponseBody(contentLength: found.bytes) { writer in
            var last = try await file.next()
            while let piece = last {
                last = try await file.next()
                // Before the last bytes leave: who has the file is counted, even if this process ends now.
                if last == nil, let reader {
                    await reads.pull(
                        of: name, version, in: repository.name, by: reader, bytes: found.bytes,
                        from: address)
                }
                try await writer.write(piece)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}

extension String {
    /// `%2B` and `%2b` become `+`, which cargo sends as it is and other clients may not; a plus is never a space here.
    var decodingPlus: String {
        split(separator: "%2B", omittingEmptySubsequences: false).joined(separator: "+")
            .split(separator: "%2b", omittingEmptySubsequences: false).joined(separator: "+")
    }
}
