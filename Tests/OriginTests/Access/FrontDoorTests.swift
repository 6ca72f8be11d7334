import Testing

@testable import Origin

struct FrontDoorTests {
    @Test(arguments: [
        ("/t/abc/main/index/config.json", "abc", "/main/index/config.json"), ("/t/abc", "abc", "/"),
        ("/t/abc?x=1", "abc", "/?x=1"), ("/t//main", "", "/main"),
    ])
    func `a path token is taken out of the path`(path: String, token: String, rest: String) throws {
        let split = try #require(FrontDoor<NoResponder>.splitting(path))
        #expect(split.token == token)
        #expect(split.path == rest)
    }

    @Test func `other paths stay`() {
        #expect(FrontDoor<NoResponder>.splitting("/token/main") == nil)
        #expect(FrontDoor<NoResponder>.splitting("/main/t/x") == nil)
    }
}
