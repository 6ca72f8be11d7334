import Testing

@testable import LoadTest

struct WarmUpFailureTests {
    @Test(arguments: [
        (["status 401": 3], "status 401 (3); reading needs a token: --token-file"),
        (["no connection: \(Reason.untrusted)": 1], "no connection: \(Reason.untrusted) (1); give the authority's"),
        (["no HTTP: the server broke the rules of HTTP/2": 9], "HTTP/2 (9); it may not speak HTTP/2"),
        (["no connection: Connection refused": 4], "Connection refused (4); check the address"),
        (["no resolution: nothing fits": 1], "check what is resolved"),
        (["b": 2, "a": 2, "c": 7, "d": 1], "c (7), a (2), b (2), …; check"), ([:], "no reason given"),
    ])
    func `the most frequent kinds come first, always in the same order, with what may help`(
        errors: [String: Int], text: String
    ) {
        #expect(WarmUpFailure(errors).text.contains(text))
    }
}
