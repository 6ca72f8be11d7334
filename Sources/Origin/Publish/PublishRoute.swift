import CoreMetrics
import CrateFile
import Facts
import Hosting
package import Hummingbird
import Logging
import NIOCore
import Registry

/// `PUT /{repository}/api/v1/crates/new`: what `cargo publish` sends.
///
/// | step | check                                                | answer if it fails                | case    |
/// |------|------------------------------------------------------|-----------------------------------|---------|
/// | 1    | repository, token, right to publish something in it  | 404, 401, 403; body unread        |         |
/// | 2    | `Content-Length`                                     | 413; body unread, client sees it  | E5, E10 |
/// | 3    | framing                                              | 400, 413                          | E2...E8 |
/// | 4    | metadata: JSON, name, version; right to this crate   | 400, 403                          | F1, F4  |
/// | 5    | the archive                                          | 400                               | G1...G14 |
/// | 6    | the manifest in it                                   | 400                               | F10...F22, G11 |
/// | 7    | ownership, spelling, version unused                  | 403, 400                          | E13, F2, F5, E16, E17 |
///
/// Then: blob durable, one transaction, edges told, 200 (E1). A refusal at any step leaves no file, no row and no line.
package struct PublishRoute: Sendable {
    let repositories: RepositoryStore
    let store: PublishStore
    let blobs: any BlobStore
    let addresses: PublicAddresses
    let limits: Limits
    let now: @Sendable () -> Int64
    let waitForEdges: @Sendable (UInt64) async -> Void
    private let uploads: Gate
    private let inspections: Gate

    /// How large a publish may be.
    package struct Limits: Sendable {
        /// Of one `.crate`.
        let uploadBytesMax: Int
        let uploadsMax: Int
        /// Archives that are unpacked at the same time; each keeps a core busy.
        let inspectionsMax: Int

        package init(uploadBytesMax: Int = 64 << 20, uploadsMax: Int = 64, inspectionsMax: Int = 2) {
            self.uploadBytesMax = uploadBytesMax
            self.uploadsMax = uploadsMax
            self.inspectionsMax = inspectionsMax
        }
    }

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - waitForEdges: returns when all edges have applied the position, or after a bounded time.
    package init(
        repositories: RepositoryStore, store: PublishStore, blobs: any BlobStore, addresses: PublicAddresses,
        limits: Limits = Limits(), now: @escaping @Sendable () -> Int64,
        waitForEdges: @escaping @Sendable (UInt64) async -> Void
    ) {
        self.repositories = repositories
        self.store = store
        self.blobs = blobs
        self.addresses = addresses
        self.limits = limits
        self.now = now
        self.waitForEdges = waitForEdges
        uploads = Gate(insideMax: limits.uploadsMax, waitingMax: 4 * limits.uploadsMax)
        inspections = Gate(insideMax: limits.inspectionsMax, waitingMax: 8 * limits.uploadsMax)
    }

    package func add(to router: some RouterMethods<OriginContext>) {
        router.put("/:repository/api/v1/crates/new") { request, context in
            do {
                let response = try await publish(request, context)
                Metric.publishes.counter(["result": "accepted"]).increment()
                return response
            } catch {
                Metric.publishes.counter(["result": "refused"]).increment()
                throw error
            }
        }
    }

    private func publish(_ request: Request, _ context: OriginContext) async throws -> Response {
        let repository = try await repositories.named(in: context)
        let publisher = try Publisher(context.principal, in: repository.name, of: nil)
        let contentLength = request.headers[.contentLength].flatMap { Int($0) }
        if let contentLength, contentLength > limits.uploadBytesMax + PublishFrame.metadataBytesMax + 8 {
            throw Refusal.tooLarge("max upload size is: \(limits.uploadBytesMax)")
        }
        let (version, position) = try await uploads.pass {
            context.channel.triggerUserOutboundEvent(EarlyAnswer.BodyIsWanted(), promise: nil)
            let upload = try await PublishUpload.receive(
                request.body,
                frame: PublishFrame(contentLength: contentLength, crateBytesMax: limits.uploadBytesMax), into: blobs
            ) { metadata in
                _ = try Publisher(context.principal, in: repository.name, of: metadata.name)
            }
            return try await keep(upload, in: repository, publisher)
        }
        context.logger.notice(
            "crate \(version.facts.name.spelling) \(version.facts.version) published",
            metadata: [
                "repository": "\(repository.name)", "bytes": "\(version.bytes)", "position": "\(position)",
                "login": "\(publisher.holder.login)",
            ])
        await waitForEdges(position)
        return .cargo(.published(warnings: []))
    }

    /// Checks the crate, makes it durable, and only then lets the database name it (I1).
    private func keep(
        _ upload: PublishUpload, in repository: Repository, _ publisher: Publisher
    ) async throws -> (CheckedVersion, UInt64) {
        do {
            let version = try await check(upload, in: repository)
            try await upload.writer.commit(version.line.checksum)
            return (version, try await store.add(version, to: repository, by: publisher))
        } catch {
            await upload.writer.discard()
            throw error
        }
    }

    private func check(_ upload: PublishUpload, in repository: Repository) async throws -> CheckedVersion {
        let written = upload.writer.written
        let path = upload.writer.draftPath
        let metadata = upload.metadata
        let ownIndexURLs = addresses.ownIndexURLs(repository.name)
        let (facts, traits) = try await inspections.pass {
            try await offLoop {
                let inspection = try CrateInspector(name: metadata.name, version: metadata.version).inspect(path: path)
                let manifest = try ManifestReader.read(inspection.manifest)
                let facts = try ManifestRules.check(
                    manifest, announced: metadata, ownIndexURLs: ownIndexURLs,
                    metadataRequired: repository.metadataRequired)
                return (facts, ManifestTraits(manifest, hasBuildFile: inspection.hasBuildFile))
            }
        }
        let line = IndexLine(facts: facts, checksum: written.checksum, pubtime: Pubtime(secondsSince1970: now()))
        return CheckedVersion(
            facts: facts, line: line, traits: traits, publishedAt: line.pubtime, bytes: written.bytes)
    }
}

extension Publisher {
    /// - Parameter crate: nil asks whether anything at all may be published.
    /// - Throws: 401 or 403; whether it takes the right to new crates or to new versions is known only later.
    fileprivate init(_ principal: Principal, in repository: RepositoryName, of crate: CrateName?) throws {
        self.principal = principal
        let verdict = Permission.verdict(principal, .publishNew, in: repository, isPublic: false, of: crate)
        holder = try principal.require(
            verdict == .allowed ? .publishNew : .publishUpdate, in: repository, of: crate)
    }
}
