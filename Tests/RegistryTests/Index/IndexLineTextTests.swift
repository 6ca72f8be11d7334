import Registry
import Testing

struct IndexLineTextTests {
    @Test(arguments: [
        (#"{"name":"a","yanked":false}"#, #"{"name":"a","yanked":true}"#),
        (#"{ "yanked" : false , "name":"a"}"#, #"{ "yanked" : true , "name":"a"}"#),
        (#"{"yanked":true,"name":"a"}"#, #"{"yanked":true,"name":"a"}"#),
        (#"{"yanked":null,"name":"a"}"#, #"{"yanked":true,"name":"a"}"#),
        (#"{"name":"a"}"#, #"{"name":"a","yanked":true}"#),
        (#"{"name":"a"} "#, #"{"name":"a","yanked":true} "#),
        // Neither a value, nor another object's key, nor text in a string.
        (
            #"{"name":"yanked","x":["yanked",{"yanked":false}],"yanked":false}"#,
            #"{"name":"yanked","x":["yanked",{"yanked":false}],"yanked":true}"#
        ),
        (#"{"name":"\"yanked\":false}","yanked":false}"#, #"{"name":"\"yanked\":false}","yanked":true}"#),
    ])
    func `only the line's own yank is another one`(line: String, want: String) {
        #expect(IndexLineText.with(yanked: true, line) == want)
    }

    @Test func `and back`() {
        #expect(IndexLineText.with(yanked: false, #"{"yanked":true,"v":2}"#) == #"{"yanked":false,"v":2}"#)
    }

    @Test func `text that is no object does not get lost`() {
        for text in ["", "{", #"{"yanked"#, #"{"yanked":"#, #"{"a\"#] {
            #expect(IndexLineText.with(yanked: true, text).hasPrefix(text))
        }
    }
}
