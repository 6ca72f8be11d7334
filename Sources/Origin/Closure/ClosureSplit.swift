import NIOCore
import Registry

/// Which part of an answer carries what: each file goes where the least was put before, in the closure's order, so that
/// what is asked first comes first in every part.
struct ClosureSplit {
    /// A list for each part. What has no file to send stands in the first.
    let lists: [ClosureList]
    /// For each file of the whole list, in its order: the number of its part.
    let places: [Int]

    /// - Parameter count: how many parts, at least 1.
    init(_ list: ClosureList, count: Int) {
        var items = [[ClosureList.Item]](repeating: [], count: count)
        var bytes = [Int](repeating: 0, count: count)
        var places: [Int] = []
        for item in list.items {
            guard case .file(_, let size) = item.state else {
                items[0].append(item)
                continue
            }
            let place = bytes.indices.min { bytes[$0] < bytes[$1] } ?? 0
            items[place].append(item)
            bytes[place] += size
            places.append(place)
        }
        lists = items.map { ClosureList($0) }
        self.places = places
    }
}
