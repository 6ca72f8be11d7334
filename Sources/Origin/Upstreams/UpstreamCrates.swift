import Logging
import NIOCore
import Registry
import Synchronization

extension UpstreamDesk {
    /// Brings the file of an upstream's version into the blob store, if it is not there yet.
    ///
    /// - Throws: 503 if the upstream does not send the very bytes that its index announced.
    func bring(
        _ name: CrateName, _ version: Version, _ checksum: Checksum, in repository: Repository,
        to blobs: any BlobStore
    ) async throws {
        let task = fetching.withLock { fetching in
            if let running = fetching[checksum] { return running }
            let task = Task {
                defer { self.fetching.withLock { $0[checksum] = nil } }
                try await fetch(name, version, checksum, in: repository, to: blobs)
            }
            fetching[checksum] = task
            return task
        }
        try await task.value
    }

    private func fetch(
        _ name: CrateName, _ version: Version, _ checksum: Checksum, in repository: Repository,
        to blobs: any BlobStore
    ) async throws {
        if let bytes = try await blobs.size(checksum) {
            return try await arrived(bytes, name, version, checksum, in: repository, in: blobs)
        }
        guard let (upstream, pause) = try await store.source(of: name, version, in: repository) else {
            throw Refusal.notFound(
                "the upstream of `\(name.spelling)` \(version) was removed before its file was ever fetched")
        }
        guard pause <= 0 else { throw unavailable(name, upstream, Int(min(pause, 9)) + 1) }
        do {
            let config = try await configs.config(of: upstream)
            let url = config.download.url(name, version, checksum)
            let writer = try await blobs.begin()
            do {
                try await client.crate(url, of: upstream, isAuthRequired: config.isAuthRequired) {
                    try await writer.write($0)
                }
                try await writer.commit(checksum)
            } catch {
                await writer.discard()
                throw error
            }
            try await arrived(writer.written.bytes, name, version, checksum, in: repository, in: blobs)
        } catch let error where error is UpstreamFault || error is BlobError {
            if case BlobError.full = error { throw error }
            let fault = error as? UpstreamFault ?? UpstreamFault("the file of \(version): \(error)")
            try await note(fault, "an upstream did not send a version's file", name, upstream, in: repository)
            guard fault.extent == .name else { throw unavailable(name, upstream, min(fault.pauseSeconds, 10)) }
            throw Refusal.unavailable(
                "the upstream `\(upstream.name)` did not send the file of `\(name.spelling)` \(version) as its index "
                    + "announced it; try again, and ask the operator for `longshore-origin upstream show`",
                retryAfter: min(fault.pauseSeconds, 10))
        }
    }

    private func arrived(
        _ bytes: Int, _ name: CrateName, _ version: Version, _ checksum: Checksum, in repository: Repository,
        in blobs: any BlobStore
    ) async throws {
        let traits = try await ManifestInFile(blobs: blobs, logger: logger).traits(of: name, version, checksum)
        try await store.arrived(bytes, traits, of: checksum, name, in: repository)
    }
}
