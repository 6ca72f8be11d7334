import EdgeCache
import FoundationEssentials
import NIOCore
import Registry

/// Makes the cache of an earlier run whole again.
struct WarmStart {
    let contents: Catalogue.Contents
    let responses: Responses
    let makeTable: @Sendable (RepositoryList) -> RepositoryTable

    /// - Parameters:
    ///   - now: the edge's own clock.
    ///   - unixNow: the same moment in seconds since 1970; tells how long the edge did not run.
    func core(_ limits: CacheCore.Limits, at now: Moment, unixNow: Int) -> CacheCore {
        Self.core(contents, limits, at: now, unixNow: unixNow, value: value(of:))
    }

    /// - Parameter value: makes what was held of a saved row; nil costs one fetch.
    static func core(
        _ contents: Catalogue.Contents, _ limits: CacheCore.Limits, at now: Moment, unixNow: Int,
        value: (SavedEntry) -> CachedValue?
    ) -> CacheCore {
        var core = CacheCore(limits: limits, applied: contents.applied, epoch: contents.epoch, ended: contents.ended)
        let pause = max(0, unixNow - (contents.currentAt ?? 0))
        for saved in contents.entries {
            guard let value = value(saved) else { continue }
            core.restore(saved, as: value, verifiedAt: now - .seconds(pause))
        }
        return core
    }

    /// - Returns: nil for a row that makes no sense; it costs one fetch.
    private func value(of saved: SavedEntry) -> CachedValue? {
        switch saved.kind {
        case .index:
            guard let tag = saved.tag, Checksum(of: saved.body) == tag.checksum else { return nil }
            return IndexPage(uncompressed: saved.body, tag, responses).value
        case .crate:
            guard let (repository, file) = EdgePath.crate(String(buffer: saved.key.bytes)) else { return nil }
            return CratePass(saved: saved.body).value(group: .version(repository, file.name, file.version))
        case .repositories:
            let list = try? JSONDecoder().decode(RepositoryList.self, from: Data(saved.body.readableBytesView))
            return try? list.map(makeTable)?.value()
        case .keys:
            return SigningRing(json: saved.body)?.value
        case .token:
            return nil
        }
    }
}
