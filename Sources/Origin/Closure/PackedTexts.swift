import NIOCore
import Registry
import Synchronization

/// Index files as gzip members, by the checksum of what is in them: what several edges ask for is packed once.
///
/// Two halves: what is used moves to the young one, and when that is full it becomes the old one, and what was the old one
/// goes. So the newest half of `bytesMax` is always there, and no use is written down.
final class PackedTexts: Sendable {
    /// Some 3,000 index files of usual size.
    static let bytesMax = 64 << 20

    private struct State {
        var young: [Checksum: ByteBuffer] = [:]
        var old: [Checksum: ByteBuffer] = [:]
        var youngBytes = 0

        mutating func keep(_ checksum: Checksum, _ member: ByteBuffer, halfMax: Int) {
            guard young[checksum] == nil else { return }
            if youngBytes + member.readableBytes > halfMax {
                (old, young, youngBytes) = (young, [:], 0)
            }
            young[checksum] = member
            youngBytes += member.readableBytes
        }
    }

    private let halfMax: Int
    private let state = Mutex(State())

    init(bytesMax: Int = PackedTexts.bytesMax) { halfMax = bytesMax / 2 }

    /// Those of them that are here.
    func held(_ checksums: [Checksum]) -> [Checksum: ByteBuffer] {
        state.withLock { state in
            var found: [Checksum: ByteBuffer] = [:]
            for checksum in checksums {
                guard let member = state.young[checksum] ?? state.old[checksum] else { continue }
                found[checksum] = member
                state.keep(checksum, member, halfMax: halfMax)
            }
            return found
        }
    }

    func keep(_ members: [Checksum: ByteBuffer]) {
        state.withLock { state in
            for (checksum, member) in members where member.readableBytes <= halfMax {
                state.keep(checksum, member, halfMax: halfMax)
            }
        }
    }
}
