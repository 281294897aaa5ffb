# Turns schema.sql, indexes.sql and saved_queries/*.sql into embedded_sql.inc: one
# {"name", R"sql(text)sql"} a file. Run by `cmake -DDIR=... -DOUT=... -P`, and included by
# CMakeLists.txt to set up that run.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB files ${DIR}/*.sql ${DIR}/saved_queries/*.sql)
  list(SORT files)
  set(text "")
  foreach(path IN LISTS files)
    file(RELATIVE_PATH name ${DIR} ${path})
    file(READ ${path} sql)
    string(APPEND text "{\"${name}\", R\"sql(${sql})sql\"},\n")
  endforeach()
  file(WRITE ${OUT} "${text}")
  return()
endif()

set(sql_inc_dir ${CMAKE_CURRENT_BINARY_DIR}/embedded)
file(GLOB sql_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.sql
     ${CMAKE_CURRENT_LIST_DIR}/saved_queries/*.sql)
add_custom_command(
  OUTPUT ${sql_inc_dir}/embedded_sql.inc
  COMMAND ${CMAKE_COMMAND} -DDIR=${CMAKE_CURRENT_LIST_DIR} -DOUT=${sql_inc_dir}/embedded_sql.inc
          -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${sql_files} ${CMAKE_CURRENT_LIST_FILE}
  VERBATIM)
target_sources(results PRIVATE ${sql_inc_dir}/embedded_sql.inc)
target_include_directories(results PRIVATE ${sql_inc_dir})
