import NIOCore
import Registry

@testable import EdgeCache

/// A core, a clock that moves when told, and short words for what happens to it.
struct CoreScene {
    final class Page: Sendable {}

    var core: CacheCore
    var now = Moment(nanoseconds: 1_000_000_000_000)
    let foo = CacheKey(path: ByteBuffer(string: "/main/index/3/f/foo"))
    let bar = CacheKey(path: ByteBuffer(string: "/main/index/3/b/bar"))

    init(applied: UInt64 = 10, memoryBytesMax: Int = 1 << 20, isFresh: Bool = true, fillsMax: Int = 0) {
        var limits = CacheCore.Limits()
        limits.memoryBytesMax = memoryBytesMax
        limits.fillsMax = fillsMax
        core = CacheCore(limits: limits, applied: applied)
        if isFresh { core.heardLease(head: applied, at: now) }
    }

    static var tag: EntityTag {
        guard let checksum = Checksum(bytes: [UInt8](repeating: 1, count: 32)) else { preconditionFailure("32 bytes") }
        return EntityTag(generation: 1, checksum: checksum)
    }

    static func value(_ generation: UInt64 = 1, bytes: Int = 100) -> CachedValue {
        let checksum = Checksum(bytes: [UInt8](repeating: UInt8(generation % 256), count: 32))
        return CachedValue(
            payload: Page(), tag: checksum.map { EntityTag(generation: generation, checksum: $0) }, bytes: bytes)
    }

    func question(
        _ key: CacheKey, witness: UInt64 = 0, offline: OfflineRule = .serveStale(atMost: .seconds(3600))
    ) -> CacheQuestion {
        CacheQuestion(key, .index, witness: witness, offline: offline)
    }

    mutating func ask(_ key: CacheKey, witness: UInt64 = 0) -> Said {
        Said(core.ask(question(key, witness: witness), at: now))
    }

    /// Asks, and answers the fetch that this starts.
    mutating func hold(_ key: CacheKey, generation: UInt64 = 1, at position: UInt64, bytes: Int = 100) {
        switch ask(key) {
        case .start(let id), .gather(let id):
            _ = end(id, .value(Self.value(generation, bytes: bytes), position: position))
        default: break
        }
    }

    mutating func end(_ id: UInt64, _ answer: FetchAnswer) -> Ended { Ended(core.finished(id, answer, at: now)) }

    @discardableResult
    mutating func event(_ position: UInt64, _ change: CacheChange) -> [FetchTicket] {
        core.arrived(position, [change], at: now).rewarm
    }

    mutating func pass(_ duration: Duration) { now = now + duration }

    /// A verdict in a form that tests can compare.
    enum Said: Equatable {
        case serve(UInt64)
        case stale(UInt64)
        case start(UInt64)
        case gather(UInt64)
        case join(UInt64)
        case refuse

        init(_ verdict: CacheVerdict) {
            switch verdict {
            case .serve(let value): self = .serve(value.generation)
            case .serveStale(let value): self = .stale(value.generation)
            case .start(let ticket): self = .start(ticket.id)
            case .gather(let ticket): self = .gather(ticket.id)
            case .join(let id): self = .join(id)
            case .refuse: self = .refuse
            }
        }
    }

    enum Ended: Equatable {
        case again(UInt64)
        case value(UInt64)
        case failed

        init(_ outcome: FetchOutcome) {
            switch outcome {
            case .again(let ticket): self = .again(ticket.id)
            case .value(let value): self = .value(value.generation)
            case .failed: self = .failed
            }
        }
    }
}
