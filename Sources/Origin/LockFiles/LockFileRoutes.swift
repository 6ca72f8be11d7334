import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Registry

/// The lock files of builds over HTTP, for their CI; `longshore-origin lock-file` does the same.
///
/// | request, below `/api/v1/repositories/{name}`      | answer                                                            |
/// |---------------------------------------------------|-------------------------------------------------------------------|
/// | `GET /lock-files`                                 | `{"lock_files":[…]}`, without texts                               |
/// | `PUT /lock-files/team/app`, the body a Cargo.lock | 201 or 200, the record with `"change":"added"`, `replaced`, `unchanged` |
/// | `GET /lock-files/team/app`                        | the text                                                          |
/// | `DELETE /lock-files/team/app`                     | `{"ok":true}`                                                     |
///
/// All of them need a token with `read` in the repository, in a public one too, and see and touch only what its user put;
/// with `admin` in it all. 400 for what is no lock file, 404, 409 and 429 as `LockFileCheck` says, 413 above 4 MiB.
/// Source: docs/decisions/0021-lock-files.md.
package struct LockFileRoutes: Sendable {
    let repositories: RepositoryStore
    let store: LockFileStore
    /// At most 32 MiB of bodies at once, and one that is read: 4 MiB of TOML keep a core busy for a while.
    private let uploads = Gate(insideMax: 8, waitingMax: 32, of: "lock files")
    private let readings = Gate(insideMax: 1, waitingMax: 8, of: "lock files")

    init(repositories: RepositoryStore, store: LockFileStore) {
        self.repositories = repositories
        self.store = store
    }

    /// Adds the slice's routes; each stands in `Route.all`.
    package func add(to router: some RouterMethods<OriginContext>) {
        router.get("/api/v1/repositories/:name/lock-files") { _, context in try await list(context) }
        router.put("/api/v1/repositories/:name/lock-files/**") { request, context in try await put(request, context) }
        router.get("/api/v1/repositories/:name/lock-files/**") { request, context in try await show(request, context) }
        router.delete("/api/v1/repositories/:name/lock-files/**") { request, context in
            try await remove(request, context)
        }
    }

    private struct List: Encodable {
        let lock_files: [LockFileRecord]
    }

    private struct Kept: Encodable {
        let lock_file: LockFileRecord
        let change: LockFileCheck.Change
    }

    private func list(_ context: OriginContext) async throws -> Response {
        let (repository, keeper) = try await place(context)
        return try .json(List(lock_files: try await store.list(in: repository, for: keeper)))
    }

    private func put(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, keeper) = try await place(context)
        let name = try name(request, in: repository)
        let length = request.headers[.contentLength].flatMap { Int($0) }
        guard length ?? 0 <= LockFile.bytesMax else { throw Refusal.lockFileTooLarge }
        let kept = try await uploads.pass {
            context.channel.triggerUserOutboundEvent(EarlyAnswer.BodyIsWanted(), promise: nil)
            let file = try await read(request.body)
            return try await store.put(file, as: name, in: repository, by: keeper)
        }
        if kept.change != .unchanged {
            context.logger.notice(
                "lock file \(name) \(kept.change.rawValue)",
                metadata: [
                    "repository": "\(repository.name)", "packages": "\(kept.record.packages)",
                    "login": "\(keeper.actor.name)",
                ])
        }
        return try .json(
            Kept(lock_file: kept.record, change: kept.change), status: kept.change == .added ? .created : .ok)
    }

    private func show(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, keeper) = try await place(context)
        let text = try await store.text(name(request, in: repository), in: repository, for: keeper)
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func remove(_ request: Request, _ context: OriginContext) async throws -> Response {
        let (repository, keeper) = try await place(context)
        try await store.remove(name(request, in: repository), from: repository, by: keeper)
        return try .json(["ok": true])
    }

    /// The right first: whether a repository exists that one may not read is nobody's business.
    private func place(_ context: OriginContext) async throws -> (Repository, LockFileKeeper) {
        let name = try RepositoryName(try context.parameters.require("name"))
        let holder = try context.principal.require(.read, in: name, of: nil)
        let isAdmin = Permission.adminVerdict(context.principal, of: name) == .allowed
        return (try await repositories.require(name), LockFileKeeper(actor: Actor(holder), isAdmin: isAdmin))
    }

    /// As it was sent, nothing decoded: a name has one address.
    private func name(_ request: Request, in repository: Repository) throws -> LockFileName {
        try LockFileName(String(request.path(after: "/api/v1/repositories/\(repository.name)/lock-files/")))
    }

    private func read(_ body: RequestBody) async throws -> LockFile {
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(upTo: LockFile.bytesMax)
        } catch is NIOTooManyBytesError {
            throw Refusal.lockFileTooLarge
        }
        return try await readings.pass {
            try await offLoop {
                guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
                    throw Refusal.badRequest("this is no `Cargo.lock`: it is not UTF-8")
                }
                return try LockFile(parsing: text)
            }
        }
    }
}

extension Refusal {
    static let lockFileTooLarge = Refusal.tooLarge("a lock file has at most \(LockFile.bytesMax >> 20) MiB")
}
