import NIOCore
import Registry
import Synchronization

/// Closures that edges take in parts: read once, whichever part is asked for first.
///
/// Behind a load balancer the parts of one question may reach several replicas. Each of those then reads the closure for the
/// parts that it was asked for; what the edge misses after that, it asks for alone.
final class ClosureShares: Sendable {
    struct Key: Hashable {
        let edge: Int64
        let repository: Int64
        let question: ClosureQuestion
        let number: UInt64
        let count: Int
    }

    /// A part to send, with the place that it takes until then.
    struct Part: Sendable {
        let sending: ClosureSending.Part
        fileprivate let place: ClosurePlaces.Place
    }

    /// One closure while its parts are taken.
    private struct Share {
        let place: ClosurePlaces.Place
        var waiting: [Int: CheckedContinuation<Part, any Error>] = [:]
        var ready: [Int: Part] = [:]
        var failure: (any Error)?
        var taken: Set<Int> = []
    }

    /// So long a part may come later than the closure is read.
    private static let keptFor: Duration = .seconds(2)

    private let places: ClosurePlaces
    private let state = Mutex<[Key: Share]>([:])

    init(places: ClosurePlaces) { self.places = places }

    /// One part of a closure; starts reading it if no part of it was asked for.
    ///
    /// - Parameter read: reads the whole closure and hands its parts over.
    /// - Throws: 503 if too many are under way; 400 for a part that was taken already; what `read` throws.
    func part(
        _ index: Int, of key: Key,
        _ read: @escaping @Sendable (_ hand: @escaping @Sendable (ClosureStore.Part) -> Void) async throws -> Void
    ) async throws -> Part {
        let isFirst = try state.withLock { shares in
            var share = try shares[key] ?? Share(place: places.take())
            guard share.taken.insert(index).inserted else {
                throw Refusal.badRequest("this part of the closure was asked for before")
            }
            defer { shares[key] = share }
            return share.taken.count == 1
        }
        if isFirst { run(key, read) }
        return try await withCheckedThrowingContinuation { continuation in
            state.withLock { shares in
                if let part = shares[key]?.ready.removeValue(forKey: index) {
                    continuation.resume(returning: part)
                    if shares[key]?.taken.count == key.count, shares[key]?.ready.isEmpty == true {
                        shares[key] = nil
                    }
                } else if let share = shares[key], share.failure == nil {
                    shares[key]?.waiting[index] = continuation
                } else {
                    continuation.resume(throwing: shares[key]?.failure ?? ClosureStore.Broken())
                }
            }
        }
    }

    private func run(
        _ key: Key,
        _ read: @escaping @Sendable (_ hand: @escaping @Sendable (ClosureStore.Part) -> Void) async throws -> Void
    ) {
        Task {
            let sending = ClosureSending(count: key.count)
            do {
                try await read { part in
                    if let parts = sending.take(part) { self.begin(key, parts) }
                }
                if let parts = sending.finish(nil) { begin(key, parts) }
            } catch {
                _ = sending.finish(error)
                fail(key, error)
            }
            try? await Task.sleep(for: Self.keptFor)
            state.withLock { $0[key] = nil }
        }
    }

    private func begin(_ key: Key, _ parts: [ClosureSending.Part]) {
        state.withLock { shares in
            guard var share = shares[key] else { return }
            for (index, sending) in parts.enumerated() {
                let part = Part(sending: sending, place: share.place)
                if let waiter = share.waiting.removeValue(forKey: index) {
                    waiter.resume(returning: part)
                } else {
                    share.ready[index] = part
                }
            }
            // When all have come there is nobody left to keep it for.
            shares[key] = share.taken.count == key.count && share.ready.isEmpty ? nil : share
        }
    }

    private func fail(_ key: Key, _ error: any Error) {
        state.withLock { shares in
            shares[key]?.failure = error
            let waiting = shares[key]?.waiting ?? [:]
            shares[key]?.waiting = [:]
            waiting.values.forEach { $0.resume(throwing: error) }
        }
    }
}
