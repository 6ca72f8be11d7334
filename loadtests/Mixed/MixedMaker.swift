import NIOCore

/// Sessions of several kinds; each is drawn by its share, the same on both sides of a comparison.
struct MixedMaker: SessionMaker {
    private let makers: [(share: Share, maker: any SessionMaker)]
    private let sum: Double

    /// - Parameter makers: one at least.
    init(_ makers: [(share: Share, maker: any SessionMaker)]) {
        self.makers = makers
        sum = makers.reduce(0) { $0 + $1.share.weight }
    }

    func session(
        user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
    ) async -> SessionRecord {
        let (share, maker) = drawn(Double.random(in: 0..<sum, using: &random))
        var record = await maker.session(user: user, number: number, intended: intended, random: &random)
        // Homes are told apart, applications are not: a row for each of both would be a page.
        record.name = share.kind.home == nil ? "" : share.kind.rawValue
        return record
    }

    private func drawn(_ point: Double) -> (share: Share, maker: any SessionMaker) {
        var rest = point
        for entry in makers {
            if rest < entry.share.weight { return entry }
            rest -= entry.share.weight
        }
        // A sum of fractions may be a hair more than its parts.
        return makers[makers.count - 1]
    }
}
