import EdgeCache
import EdgeHTTP
import Logging
import NIOCore
import Registry

/// `GET /{repository}/crates/{name}/{version}/{sha256}.crate`: one download.
///
/// | situation                                   | answer                                   | case |
/// |---------------------------------------------|------------------------------------------|------|
/// | vouched for, bytes on disk                  | 200 from disk, `HIT`                     | C1   |
/// | not vouched for, or bytes not on disk       | asks the origin once, 200, `MISS`        | C1   |
/// | policy blocks the version                   | 403 with the reason                      | C5   |
/// | the origin says there is no such file       | 404                                      | C4   |
/// | origin silent, vouched for once, on disk    | 200, `STALE`, by the repository's rule   | A31  |
/// | origin silent, else                         | 503, `retry-after: 2`                    | A32  |
///
/// A blob on disk is not enough: the origin must have said that *this* repository has it (I7).
/// Never content-encoded, because cargo checks the hash of what arrives (C13).
struct CrateRoute: Sendable {
    let desk: CacheDesk
    let blobs: BlobFolder
    let responses: Responses
    let wallClock: @Sendable () -> Int
    let logger: Logger

    /// The pass from what is held and current. Runs under the core's lock.
    func quickPass(_ path: EdgePath, _ core: inout CacheCore, at now: Moment) -> CratePass? {
        core.glance(CacheKey(path: path.key), at: now)?.payload.map { unsafeDowncast($0, to: CratePass.self) }
    }

    /// What comes of a download; `block` says why it is refused.
    typealias Found = (answer: EdgeAnswer, block: CratePass.Block?)

    /// - Returns: nil if the bytes are not on disk, or not checked since the start.
    func quick(_ pass: CratePass, _ path: EdgePath, in facts: RepositoryFacts) -> Found? {
        if let block = pass.block { return refusal(block) }
        guard let checksum = path.checksumOfCanonical, let blob = blobs.find(checksum, at: wallClock()) else {
            return nil
        }
        return (.file(answer(blob, facts, .hit)), nil)
    }

    func find(_ path: EdgePath, in facts: RepositoryFacts) async -> Found {
        guard let (repository, file) = EdgePath.crate(String(buffer: path.key)) else {
            return (.rendered(responses.notFound), nil)
        }
        let question = CacheQuestion(
            .crate(repository, file), .crate, group: .version(repository, file.name, file.version),
            offline: facts.offline)
        // Twice, because the file of a pass that is held may have been evicted or be damaged.
        for _ in 0..<2 {
            let finding = await desk.ask(question)
            guard let (value, cache) = finding.word else {
                return (.rendered(responses.unavailable(finding.words)), nil)
            }
            guard let pass = value.payload.map({ unsafeDowncast($0, to: CratePass.self) }) else {
                return (.rendered(responses.noDownload), nil)
            }
            if let block = pass.block { return refusal(block) }
            do {
                if let blob = try await blobs.check(file.checksum, at: wallClock()) {
                    return (.file(answer(blob, facts, cache)), nil)
                }
            } catch {
                logger.error("a file can't be read", metadata: ["sha256": "\(file.checksum)", "error": "\(error)"])
            }
            desk.withCore { core, _ in core.forget(question.key) }
        }
        return (.rendered(responses.unavailable), nil)
    }

    private func refusal(_ block: CratePass.Block) -> Found { (.rendered(responses.refusal(403, block.reason)), block) }

    private func answer(_ blob: HeldBlob, _ facts: RepositoryFacts, _ cache: CacheState) -> FileAnswer {
        let reach = facts.isPrivate ? "private" : "public"
        return FileAnswer(
            status: 200,
            headers: [
                (name: "content-type", value: "application/gzip"),
                ("cache-control", "\(reach), max-age=31536000, immutable"),
            ] + responses.common(cache),
            path: blob.path, bytes: blob.bytes)
    }
}
