# cnisim_module(core/net DEPS ...): one directory is one library and, if it holds *_test.cc
# files, one test binary. A file added to the directory needs no change here.
function(cnisim_module dir)
  cmake_parse_arguments(ARG "" "" "DEPS;TEST_DEPS" ${ARGN})
  string(REPLACE "/" "_" name ${dir})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/*.cc)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${dir}/*.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources} ${headers})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
  if(tests)
    cnisim_test(${name}_test SOURCES ${tests} DEPS ${name} ${ARG_TEST_DEPS})
  endif()
endfunction()

# cnisim_test(name SOURCES ... DEPS ...): a GoogleTest binary whose tests ctest lists one by one.
# CNISIM_SOURCE_DIR is the checkout, for vectors and scenarios that tests read.
function(cnisim_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE CNISIM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Tests are compiled once and run for a moment: -O1 takes a third off their build. Coroutines hand
  # over to one another by sibling calls, without which long chains of them need a long stack.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>
                                         $<$<CONFIG:Release>:-foptimize-sibling-calls>)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 900)
endfunction()
