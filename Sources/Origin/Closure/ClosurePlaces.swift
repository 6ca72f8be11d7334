import Synchronization

/// How many closures may be under way at once. One that was read waits in memory until its edge has taken it, however slow
/// that is, so their number bounds what they take.
final class ClosurePlaces: Sendable {
    private static let placesMax = 16

    private let taken = Mutex(0)

    /// A place is taken until nobody holds it any more: the answer, or the request if there came no answer.
    final class Place: Sendable {
        private let places: ClosurePlaces

        fileprivate init(_ places: ClosurePlaces) { self.places = places }

        deinit { places.taken.withLock { $0 -= 1 } }
    }

    func take() throws -> Place {
        try taken.withLock { taken in
            guard taken < Self.placesMax else {
                throw Refusal.unavailable("too many closures at once; ask file by file", retryAfter: 1)
            }
            taken += 1
        }
        return Place(self)
    }
}
