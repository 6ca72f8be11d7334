import Testing

@testable import Origin

struct ReplicaWordsTests {
    @Test func `I10: an older look does not take away a replica that came since`() {
        var words = ReplicaWords(own: "r1")
        let (older, newer) = (words.question(), words.question())
        words.read(["r2": ReplicaProgress(edges: 1, applied: 4, at: 100)], question: newer)
        words.read([:], question: older)
        #expect(words.behind(5) == ["one of 1 at replica r2"])
        #expect(words.behind(4).isEmpty)
    }

    @Test func `words that overtook each other count by their time, and its own do not count`() {
        var words = ReplicaWords(own: "r1")
        var isNews = words.heard("r2", ReplicaProgress(edges: 1, applied: 9, at: 200))
        #expect(isNews)
        isNews = words.heard("r2", ReplicaProgress(edges: 1, applied: 4, at: 100))
        #expect(isNews)
        isNews = words.heard("r1", ReplicaProgress(edges: 1, applied: 1, at: 300))
        #expect(!isNews)
        #expect(words.behind(9).isEmpty)
        #expect(words.behind(10) == ["one of 1 at replica r2"])
    }
}
