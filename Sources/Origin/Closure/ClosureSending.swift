import NIOCore
import Registry
import Synchronization

/// Gives the files of one closure to its parts as they are read.
///
/// A fresh connection may send ten packets in its first round trip, however small they are, so what is ready leaves together:
/// the list with all files that are there by then.
final class ClosureSending: Sendable {
    typealias Chunks = AsyncThrowingStream<ByteBuffer, any Error>

    /// What one part sends.
    struct Part: Sendable {
        let position: UInt64
        /// The list, and the first files.
        let first: ByteBuffer
        /// The files after those; nil if there are none.
        let rest: Chunks?
    }

    private struct State {
        var position: UInt64 = 0
        var lists: [ClosureList] = []
        /// The parts of the files that are still to come.
        var places: ArraySlice<ClosureSplit.Places> = []
        var hasBegun = false
    }

    private let streams: [Chunks]
    private let offers: [Chunks.Continuation]
    private let state = Mutex(State())

    init(count: Int) {
        let made = (0..<count).map { _ in Chunks.makeStream() }
        streams = made.map(\.stream)
        offers = made.map(\.continuation)
    }

    /// - Returns: the parts, as soon as there is something to send.
    func take(_ part: ClosureStore.Part) -> [Part]? {
        switch part {
        case .list(let list, let position, let weights):
            let split = ClosureSplit(list, weights: weights, count: streams.count)
            state.withLock {
                $0.position = position
                $0.lists = split.lists
                $0.places = split.places[...]
            }
            return nil
        case .packed(let members):
            return state.withLock { state in
                let chunks = Self.chunks(members, &state.places, count: streams.count)
                guard state.hasBegun else { return begin(&state, chunks) }
                for (offer, chunk) in zip(offers, chunks) where chunk.readableBytes > 0 { offer.yield(chunk) }
                return nil
            }
        case .text:
            preconditionFailure("a closure in parts is packed")
        }
    }

    /// - Parameter error: nil if the closure was read to its end.
    /// - Returns: the parts, if there was no file to send.
    func finish(_ error: (any Error)?) -> [Part]? {
        for offer in offers { offer.finish(throwing: error) }
        guard error == nil else { return nil }
        return state.withLock { state in
            state.hasBegun ? nil : begin(&state, [ByteBuffer](repeating: ByteBuffer(), count: streams.count))
        }
    }

    private func begin(_ state: inout State, _ chunks: [ByteBuffer]) -> [Part] {
        state.hasBegun = true
        let isWhole = state.places.isEmpty
        return zip(state.lists, zip(chunks, streams)).map { list, sent in
            var first = ByteBuffer(bytes: list.bytes)
            first.writeImmutableBuffer(sent.0)
            return Part(position: state.position, first: first, rest: isWhole ? nil : sent.1)
        }
    }

    /// What of these members goes to each part.
    private static func chunks(
        _ members: [ByteBuffer], _ places: inout ArraySlice<ClosureSplit.Places>, count: Int
    ) -> [ByteBuffer] {
        var chunks = [ByteBuffer](repeating: ByteBuffer(), count: count)
        for member in members {
            guard let chosen = places.popFirst() else { preconditionFailure("a file for each item") }
            for (number, place) in chosen.enumerated() {
                let range = ClosurePiece(index: number, count: chosen.count)?.range(of: member.readableBytes)
                let piece = range.flatMap { member.getSlice(at: member.readerIndex + $0.lowerBound, length: $0.count) }
                chunks[place].writeInteger(UInt32((piece ?? member).readableBytes))
                chunks[place].writeImmutableBuffer(piece ?? member)
            }
        }
        return chunks
    }
}
