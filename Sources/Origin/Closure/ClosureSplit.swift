import NIOCore
import Registry

/// Which part of an answer carries what: each file goes where the least was put before, in the closure's order, so that
/// what is asked first comes first in every part. A large one goes in pieces to several.
struct ClosureSplit {
    /// Packed bytes over which a file is cut: a fresh connection brings 14 KB in one round trip, and each part has others.
    static let wholeBytesMax = 6 << 10

    /// Where a file goes: one part, or a part for each of its pieces.
    typealias Places = [Int]

    /// A list for each part. What has no file to send stands in the first.
    let lists: [ClosureList]
    /// For each file of the whole list, in its order.
    let places: [Places]

    /// - Parameters:
    ///   - weights: how large each file is when it is packed, roughly, in the list's order.
    ///   - count: how many parts, at least 1.
    init(_ list: ClosureList, weights: [Int], count: Int) {
        var items = [[ClosureList.Item]](repeating: [], count: count)
        var bytes = [Int](repeating: 0, count: count)
        var places: [Places] = []
        for item in list.items {
            guard case .file(let tag, let size) = item.state else {
                items[0].append(item)
                continue
            }
            let weight = weights[places.count]
            let pieces = min(count, (weight - 1) / Self.wholeBytesMax + 1)
            let chosen = Array(bytes.indices.sorted { (bytes[$0], $0) < (bytes[$1], $1) }.prefix(max(1, pieces)))
            for (number, place) in chosen.enumerated() {
                bytes[place] += weight / chosen.count + Self.itemBytes
                let piece = ClosurePiece(index: number, count: chosen.count)
                items[place].append(piece.map { .init(item.path, .piece(tag, bytes: size, $0)) } ?? item)
            }
            places.append(chosen)
        }
        lists = items.map { ClosureList($0) }
        self.places = places
    }

    /// What a file costs besides its bytes: its line in the list, and its length.
    private static let itemBytes = 64
}
